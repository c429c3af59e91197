#include "pipeline/config/model_file.h"

#include <xxhash.h>

#include <cmath>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "pipeline/config/customer_group_fits.h"
#include "pipeline/config/default_chain.h"
#include "pipeline/config/learned_fit.h"
#include "pipeline/config/parameter_check.h"
#include "pipeline/config/text_file.h"

namespace portrait {
namespace {

constexpr size_t kModelNameBytes = 100;

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string ChecksumOf(v1::ModelFile file) {
  file.clear_checksum();
  const std::string bytes = file.SerializeAsString();
  return absl::StrCat(absl::Hex(XXH3_64bits(bytes.data(), bytes.size()), absl::kZeroPad16));
}

void CheckName(const std::string& name, ParameterCheck& check) {
  const bool good =
      !name.empty() && name.size() <= kModelNameBytes &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") == std::string::npos;
  if (good) return;
  check.Fail(absl::StrCat("name: must be letters, digits, _ - . and /, at most ", kModelNameBytes,
                          " of them: ", name.substr(0, kModelNameBytes)));
}

void CheckOrders(const v1::ModelFile& file, ParameterCheck& check) {
  const bool mbg = file.in_force() == "mbg_nbd", pareto = file.in_force() == "pareto_nbd";
  if (!mbg && !pareto) check.Fail(absl::StrCat("in_force: must be mbg_nbd or pareto_nbd: ", file.in_force()));
  if ((mbg && !file.has_mbg_nbd()) || (pareto && !file.has_pareto_nbd())) {
    check.Fail(absl::StrCat("in_force: there is no such model in the file: ", file.in_force()));
  }
  if (file.has_mbg_nbd()) {
    check.Parameter("mbg_nbd.r", file.mbg_nbd().r());
    check.Parameter("mbg_nbd.alpha_days", file.mbg_nbd().alpha_days());
    check.Parameter("mbg_nbd.a", file.mbg_nbd().a());
    check.Parameter("mbg_nbd.b", file.mbg_nbd().b());
  }
  if (file.has_pareto_nbd()) {
    check.Parameter("pareto_nbd.r", file.pareto_nbd().r());
    check.Parameter("pareto_nbd.alpha_days", file.pareto_nbd().alpha_days());
    check.Parameter("pareto_nbd.s", file.pareto_nbd().s());
    check.Parameter("pareto_nbd.beta_days", file.pareto_nbd().beta_days());
  }
}

absl::Status CheckModels(const v1::ModelFile& file) {
  ParameterCheck check;
  CheckName(file.name(), check);
  CheckOrders(file, check);
  check.Parameter("gamma_gamma.p", file.gamma_gamma().p());
  check.Number("gamma_gamma.q", file.gamma_gamma().q(), 1.00001, ParameterCheck::kMost);
  check.Parameter("gamma_gamma.v", file.gamma_gamma().v());
  check.Number("rhythm.log_mean", file.rhythm().log_mean(), -10, 10);
  check.Parameter("rhythm.log_spread", file.rhythm().log_spread());
  check.Parameter("rhythm.mean_weight", file.rhythm().mean_weight());
  check.Parameter("rhythm.spread_weight", file.rhythm().spread_weight());
  CheckRfm(file.rfm(), check);
  CheckClusters(file.clusters(), check);
  if (file.has_learned()) CheckLearned(file.learned(), check);
  return check.status();
}

absl::Status ReadJson(std::string_view json, bool ignore_unknown, v1::ModelFile& file) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = ignore_unknown;
  file.Clear();
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &file, options);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not a file of models: ", FirstLine(std::string(status.message().data(), status.message().size()))));
}

}  // namespace

absl::StatusOr<v1::ModelFile> ParseModelFile(std::string_view json) {
  v1::ModelFile file;
  // Another format may have other fields: it is to be named first.
  if (absl::Status s = ReadJson(json, /*ignore_unknown=*/true, file); !s.ok()) return s;
  if (file.format() != kModelFileFormat) {
    return absl::InvalidArgumentError(
        absl::StrCat("format: this release reads format ", kModelFileFormat, ", the file is of format ", file.format(),
                     file.format() == 0 ? " or no file of models" : "; fit the models anew with `portrait fit`"));
  }
  if (absl::Status s = ReadJson(json, /*ignore_unknown=*/false, file); !s.ok()) return s;
  if (absl::Status s = CheckModels(file); !s.ok()) return s;
  if (const std::string has = ChecksumOf(file); has != file.checksum()) {
    return absl::InvalidArgumentError(absl::StrCat("checksum: the file was changed or damaged; it says ",
                                                   file.checksum(), ", its content has ", has));
  }
  return file;
}

absl::StatusOr<v1::ModelFile> ReadModelFile(const std::filesystem::path& path) {
  const auto text = ReadTextFile(path, kModelFileBytes);
  if (!text.ok()) return text.status();
  auto file = ParseModelFile(*text);
  if (!file.ok()) return absl::InvalidArgumentError(absl::StrCat(path.string(), ": ", file.status().message()));
  return file;
}

absl::StatusOr<std::string> ModelFileText(v1::ModelFile file) {
  file.set_format(kModelFileFormat);
  file.set_made_by(absl::StrCat("portrait ", ReleaseVersion()));
  file.set_checksum(ChecksumOf(file));
  if (absl::Status s = CheckModels(file); !s.ok()) return s;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(file, &json, options).ok()) {
    return absl::InternalError("a file of models cannot be written as JSON");
  }
  return json;
}

absl::StatusOr<v1::ModelFile> WriteModelFile(const std::filesystem::path& path, v1::ModelFile file) {
  const auto text = ModelFileText(std::move(file));
  if (!text.ok()) return text.status();
  auto written = ParseModelFile(*text);
  if (!written.ok()) return written;
  std::ofstream out(path, std::ios::binary);
  out << *text;
  if (!out.flush()) return absl::UnavailableError(absl::StrCat("cannot write this file: ", path.string()));
  return written;
}

std::string ModelIdentity(const v1::ModelFile& file) { return absl::StrCat(file.name(), "@", file.checksum()); }

FittedModels ModelsOf(const v1::ModelFile& file) {
  FittedModels out;
  out.name = ModelIdentity(file);
  const auto& mbg = file.mbg_nbd();
  const auto& pareto = file.pareto_nbd();
  out.orders = file.in_force() == "mbg_nbd"
                   ? OrderModel(MbgNbdParameters{mbg.r(), mbg.alpha_days(), mbg.a(), mbg.b()})
                   : OrderModel(ParetoNbdParameters{pareto.r(), pareto.alpha_days(), pareto.s(), pareto.beta_days()});
  out.value = {file.gamma_gamma().p(), file.gamma_gamma().q(), file.gamma_gamma().v()};
  const auto& rhythm = file.rhythm();
  out.rhythm = {rhythm.log_mean(), rhythm.log_spread(), rhythm.mean_weight(), rhythm.spread_weight()};
  out.rfm = BoundariesOf(file.rfm());
  out.clusters = ClustersOf(file.clusters());
  if (file.has_learned()) out.learned = LearnedOf(file.learned());
  return out;
}

v1::ModelFile BuiltInModels() {
  const FittedModels models;
  v1::ModelFile file;
  file.set_name(models.name);
  file.set_in_force("mbg_nbd");
  const auto& orders = std::get<MbgNbdParameters>(models.orders.parameters());
  v1::MbgNbdFit& mbg = *file.mutable_mbg_nbd();
  mbg.set_r(orders.r), mbg.set_alpha_days(orders.alpha_days), mbg.set_a(orders.a), mbg.set_b(orders.b);
  v1::GammaGammaFit& value = *file.mutable_gamma_gamma();
  value.set_p(models.value.p), value.set_q(models.value.q), value.set_v(models.value.v);
  v1::RhythmFit& rhythm = *file.mutable_rhythm();
  rhythm.set_log_mean(models.rhythm.log_mean), rhythm.set_log_spread(models.rhythm.log_spread);
  rhythm.set_mean_weight(models.rhythm.mean_weight), rhythm.set_spread_weight(models.rhythm.spread_weight);
  if (models.rfm) *file.mutable_rfm() = FitOf(*models.rfm);
  if (models.clusters) *file.mutable_clusters() = FitOf(*models.clusters);
  file.mutable_card()->set_none_because("these models are built in: those of a music shop (CDNOW)");
  return file;
}

}  // namespace portrait
