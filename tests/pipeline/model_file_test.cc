#include "pipeline/config/model_file.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "absl/strings/str_replace.h"
#include "pipeline/config/text_file.h"
#include "tests/temporary_folder.h"

namespace portrait {
namespace {

v1::ModelFile Fitted() {
  v1::ModelFile file;
  file.set_name("shop-7");
  file.set_in_force("mbg_nbd");
  auto& orders = *file.mutable_mbg_nbd();
  orders.set_r(0.1 + 0.2), orders.set_alpha_days(1.0 / 3), orders.set_a(2.2250738585072014e-8), orders.set_b(1e12 / 7);
  auto& pareto = *file.mutable_pareto_nbd();
  pareto.set_r(0.5), pareto.set_alpha_days(70), pareto.set_s(0.6), pareto.set_beta_days(80);
  auto& value = *file.mutable_gamma_gamma();
  value.set_p(6.25), value.set_q(3.74), value.set_v(15.4);
  auto& rhythm = *file.mutable_rhythm();
  rhythm.set_log_mean(3.1), rhythm.set_log_spread(1.1), rhythm.set_mean_weight(4), rhythm.set_spread_weight(5);
  file.mutable_source()->set_customers(2357);
  return file;
}

// What is wrong with a file that is good but for one change of its text.
std::string Wrong(const std::string& from, const std::string& to) {
  const std::string good = ModelFileText(Fitted()).value();
  const std::string text = absl::StrReplaceAll(good, {{from, to}});
  REQUIRE(text != good);
  const auto file = ParseModelFile(text);
  return file.ok() ? "nothing" : std::string(file.status().message());
}

// … that is written with a parameter out of its range.
std::string Refused(const std::function<void(v1::ModelFile&)>& change) {
  v1::ModelFile file = Fitted();
  change(file);
  const auto text = ModelFileText(file);
  return text.ok() ? "nothing" : std::string(text.status().message());
}

TEST_CASE("a file of models is read as it was written, to the last bit", "[model_file]") {
  const std::string text = ModelFileText(Fitted()).value();
  INFO(text);
  const auto file = ParseModelFile(text);
  REQUIRE(file.ok());
  CHECK(file->mbg_nbd().SerializeAsString() == Fitted().mbg_nbd().SerializeAsString());
  CHECK(ModelFileText(*file).value() == text);
  const FittedModels models = ModelsOf(*file);
  CHECK(models.name == "shop-7@" + file->checksum());
  const auto& orders = std::get<MbgNbdParameters>(models.orders.parameters());
  CHECK(orders.r == 0.1 + 0.2);
  CHECK(orders.b == 1e12 / 7);
  CHECK(models.value.q == 3.74);
  CHECK(models.rhythm.spread_weight == 5);
  v1::ModelFile other = Fitted();
  other.set_in_force("pareto_nbd");
  const FittedModels pareto = ModelsOf(ParseModelFile(ModelFileText(other).value()).value());
  CHECK(std::get<ParetoNbdParameters>(pareto.orders.parameters()).beta_days == 80);
  CHECK(pareto.name != models.name);
}

TEST_CASE("a learned model of another version, or with a number out of range, is refused", "[model_file]") {
  const auto with = [](const std::function<void(v1::LearnedChurnFit&)>& change) {
    return Refused([&](v1::ModelFile& file) {
      auto& learned = *file.mutable_learned();
      learned.set_version(1), learned.set_horizon_days(90);
      auto& feature = *learned.add_features();
      feature.set_name("purchases.orders_90d"), feature.set_spread(1), feature.set_weight(0.5);
      change(learned);
    });
  };
  CHECK(with([](auto&) {}) == "nothing");
  CHECK(
      with([](auto& learned) { learned.set_version(2); }) ==
      "learned.version: this release reads version 1, the learned model is of version 2; train it anew with `portrait "
      "train`");
  CHECK(with([](auto& learned) { learned.set_horizon_days(0); }).starts_with("learned.horizon_days: must be a number"));
  CHECK(with([](auto& learned) { learned.clear_features(); }).starts_with("learned.features: must be a number from 1"));
  CHECK(with([](auto& learned) {
          learned.mutable_features(0)->set_spread(-1);
        }).starts_with("learned.features purchases.orders_90d spread: "));
  CHECK(with([](auto& learned) {
          learned.mutable_features(0)->set_weight(NAN);
        }).starts_with("learned.features purchases.orders_90d weight: "));
}

TEST_CASE("trees and a curve that are none are refused, with the tree and the node", "[model_file]") {
  const auto with = [](const std::function<void(v1::LearnedChurnFit&)>& change) {
    return Refused([&](v1::ModelFile& file) {
      auto& learned = *file.mutable_learned();
      learned.set_version(1), learned.set_horizon_days(90);
      learned.add_features()->set_name("purchases.orders_90d");
      for (int i = 0; i < 2; ++i) {
        auto& nodes = *learned.add_trees()->mutable_nodes();
        auto& root = *nodes.Add();
        root.set_feature(0), root.set_threshold(0.7F), root.set_left(1), root.set_right(2);
        for (const double value : {-0.1, 0.2}) nodes.Add()->set_value(value), nodes.rbegin()->set_cover(20);
      }
      for (const double score : {-1.0, 1.0})
        learned.add_curve()->set_score(score), learned.mutable_curve()->rbegin()->set_calibrated(score / 2);
      change(learned);
    });
  };
  const auto node = [](auto& learned, int i) { return learned.mutable_trees(1)->mutable_nodes(i); };
  const std::string either = "must have either feature, threshold, left (not 0) and right, or value and cover";
  CHECK(with([](auto&) {}) == "nothing");
  CHECK(with([&](auto& l) { node(l, 0)->set_left(0); }) == "learned.trees: tree 1: node 0: " + either);
  CHECK(with([&](auto& l) { node(l, 0)->clear_threshold(); }) == "learned.trees: tree 1: node 0: " + either);
  CHECK(with([&](auto& l) { node(l, 2)->clear_cover(); }) == "learned.trees: tree 1: node 2: " + either);
  CHECK(with([&](auto& l) { node(l, 2)->set_left(1); }) == "learned.trees: tree 1: node 2: " + either);
  CHECK(with([&](auto& l) { node(l, 0)->set_right(9); }) ==
        "learned.trees: tree 1: node 0: a child must be one of the nodes 1 to 2: 9");
  CHECK(with([&](auto& l) { node(l, 0)->set_feature(1); }) ==
        "learned.trees: tree 1: node 0: feature must be from 0 to 0: 1");
  CHECK(with([&](auto& l) { node(l, 1)->set_value(NAN); }).starts_with("learned.trees: tree 1: node 1: value must be"));
  CHECK(with([&](auto& l) { l.mutable_trees(1)->clear_nodes(); }) ==
        "learned.trees: tree 1: must have 1 to 127 nodes: 0");
  CHECK(with([&](auto& l) {
          for (int i = 0; i < 300; ++i) *l.add_trees() = l.trees(0);
        }) == "learned.trees: must be 1 to 300 trees: 302");
  CHECK(with([](auto& l) { l.mutable_curve(1)->set_score(-2); }).starts_with("learned.curve: knot 1: "));
  CHECK(with([](auto& l) {
          l.mutable_features(0)->set_gain(2);
        }).starts_with("learned.features purchases.orders_90d gain"));
}

v1::ModelFile WithGroups() {
  v1::ModelFile file = Fitted();
  const v1::ModelFile built_in = BuiltInModels();
  *file.mutable_rfm() = built_in.rfm();
  *file.mutable_clusters() = built_in.clusters();
  return file;
}

TEST_CASE("fifths and clusters are read as they were written, and a file without them has none", "[model_file]") {
  v1::ModelFile file = WithGroups();
  file.mutable_rfm()->set_spend(2, 50.000000000000004);
  file.mutable_clusters()->mutable_clusters(1)->set_recency(-1.0 / 3);
  const auto read = ParseModelFile(ModelFileText(file).value());
  REQUIRE(read.ok());
  const FittedModels models = ModelsOf(*read), built_in;
  REQUIRE(models.rfm);
  CHECK(models.rfm->silent_days == built_in.rfm->silent_days);
  CHECK(models.rfm->purchase_days == built_in.rfm->purchase_days);
  CHECK(models.rfm->spend[2] == 50.000000000000004);
  REQUIRE(models.clusters);
  REQUIRE(models.clusters->clusters().size() == 5);
  CHECK(models.clusters->mean() == built_in.clusters->mean());
  CHECK(models.clusters->spread() == built_in.clusters->spread());
  CHECK(models.clusters->clusters()[1].centre[0] == -1.0 / 3);
  CHECK(models.clusters->clusters()[4].centre == built_in.clusters->clusters()[4].centre);
  CHECK(models.clusters->clusters()[4].purchase_days == built_in.clusters->clusters()[4].purchase_days);
  const FittedModels older = ModelsOf(ParseModelFile(ModelFileText(Fitted()).value()).value());
  CHECK_FALSE(older.rfm);
  CHECK_FALSE(older.clusters);
  v1::ModelFile few = Fitted();
  few.mutable_rfm()->set_none_because("too few customers");
  few.mutable_clusters()->set_none_because("too few customers");
  const FittedModels none = ModelsOf(ParseModelFile(ModelFileText(few).value()).value());
  CHECK_FALSE(none.rfm);
  CHECK_FALSE(none.clusters);
}

TEST_CASE("boundaries that fall, and centres that are none, are refused", "[model_file]") {
  const auto with = [](const std::function<void(v1::RfmFit&, v1::CustomerClustersFit&)>& change) {
    return Refused([&](v1::ModelFile& file) {
      file = WithGroups();
      change(*file.mutable_rfm(), *file.mutable_clusters());
    });
  };
  CHECK(with([](auto&, auto&) {}) == "nothing");
  CHECK(with([](auto& rfm, auto&) { rfm.set_silent_days(1, 98); }) ==
        "rfm.silent_days: no boundary may be lower than the one before");
  CHECK(with([](auto& rfm, auto&) { rfm.add_purchase_days(9); }) == "rfm.purchase_days: must be four boundaries: 5");
  CHECK(with([](auto& rfm, auto&) { rfm.clear_spend(); }) == "rfm.spend: must be four boundaries: 0");
  CHECK(with([](auto& rfm, auto&) { rfm.set_spend(3, NAN); }) == "rfm.spend: must be a number from 0 to 1e+12: nan");
  CHECK(with([](auto& rfm, auto&) { rfm.set_silent_days(0, -1); }) ==
        "rfm.silent_days: must be a number from 0 to 1e+06: -1");
  CHECK(with([](auto&, auto& clusters) { clusters.mutable_clusters()->DeleteSubrange(1, 4); }) ==
        "clusters.clusters: must be a number from 2 to 50: 1");
  CHECK(with([](auto&, auto& clusters) {
          while (clusters.clusters_size() < 51) *clusters.add_clusters() = clusters.clusters(0);
        }) == "clusters.clusters: must be a number from 2 to 50: 51");
  CHECK(with([](auto&, auto& clusters) { clusters.clear_monetary(); }) ==
        "clusters.monetary.spread: must be a number from 1e-09 to 50: 0");
  CHECK(with([](auto&, auto& clusters) { clusters.mutable_recency()->set_mean(INFINITY); }) ==
        "clusters.recency.mean: must be a number from -50 to 50: inf");
  CHECK(with([](auto&, auto& clusters) { clusters.mutable_clusters(3)->set_frequency(NAN); }) ==
        "clusters.clusters[3].frequency: must be a number from -1e+09 to 1e+09: nan");
  CHECK(with([](auto&, auto& clusters) { clusters.mutable_clusters(0)->set_share(1.5); }) ==
        "clusters.clusters[0].share: must be a number from 0 to 1: 1.5");
}

TEST_CASE("blanks between the fields of a file of models do not matter", "[model_file]") {
  CHECK(Wrong("\n", "\n\n  ") == "nothing");
}

TEST_CASE("a file of models that was changed, damaged or is of another format is refused, with what is wrong",
          "[model_file]") {
  CHECK(Wrong("\"alpha_days\": 70", "\"alpha_days\": 71")
            .starts_with("checksum: the file was changed or damaged; it says "));
  CHECK(Wrong("\"format\": 1", "\"format\": 2") ==
        "format: this release reads format 1, the file is of format 2; fit the models anew with `portrait fit`");
  CHECK(Wrong("\"format\": 1", "\"format\": 2, \"trees\": []").starts_with("format: this release reads format 1"));
  CHECK(Wrong("\"rhythm\"", "\"rhythms\"").starts_with("not a file of models: "));
  CHECK(Wrong("\"s\": 0.6", "\"s\": \"NaN\"") == "pareto_nbd.s: must be a number from 1e-09 to 1e+12: nan");
  CHECK(Wrong("\"p\": 6.25", "\"p\": -6.25") == "gamma_gamma.p: must be a number from 1e-09 to 1e+12: -6.25");
  CHECK(Wrong("\"in_force\": \"mbg_nbd\"", "\"in_force\": \"trees\"") ==
        "in_force: must be mbg_nbd or pareto_nbd: trees");
  for (const char* text : {"", "{}", "[1]", "null", "no JSON", "{\"name\": \"shop-7\"}"}) {
    INFO(text);
    CHECK_FALSE(ParseModelFile(text).ok());
  }
  const std::string good = ModelFileText(Fitted()).value();
  for (size_t size = 0; size + 3 < good.size(); size += 7) {
    INFO(size);
    CHECK_FALSE(ParseModelFile(good.substr(0, size)).ok());
  }
}

TEST_CASE("models with parameters out of range are not written", "[model_file]") {
  CHECK(Refused([](auto& file) { file.mutable_mbg_nbd()->set_r(std::numeric_limits<double>::infinity()); }) ==
        "mbg_nbd.r: must be a number from 1e-09 to 1e+12: inf");
  CHECK(Refused([](auto& file) { file.mutable_gamma_gamma()->set_q(1); }) ==
        "gamma_gamma.q: must be a number from 1.00001 to 1e+12: 1");
  CHECK(Refused([](auto& file) { file.mutable_rhythm()->set_log_spread(0); }) ==
        "rhythm.log_spread: must be a number from 1e-09 to 1e+12: 0");
  CHECK(Refused([](auto& file) { file.clear_mbg_nbd(); }) == "in_force: there is no such model in the file: mbg_nbd");
  CHECK(
      Refused([](auto& file) { file.set_name("shop 7\n"); }).starts_with("name: must be letters, digits, _ - . and /"));
}

TEST_CASE("errors of a file of models name the file", "[model_file]") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "models.json").string();
  CHECK(ReadModelFile(path).status().message() == "cannot be read (No such file or directory): " + path);
  WriteText(path, "{\"format\": 3}");
  CHECK(ReadModelFile(path).status().message() ==
        path +
            ": format: this release reads format 1, the file is of format 3; fit the models anew with `portrait fit`");
}

}  // namespace
}  // namespace portrait
