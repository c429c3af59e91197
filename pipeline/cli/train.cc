// `portrait train`: models of churn learned from the stream's own examples; the best is written if it is better.
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/learned_card.h"
#include "pipeline/tools/line_reader.h"
#include "pipeline/tools/result_text.h"
#include "pipeline/tools/result_topics.h"
#include "pipeline/tools/shadow_judgement.h"
#include "pipeline/training/churn_training.h"

namespace portrait {
namespace {

constexpr const char* kExamples = "churn-examples";
constexpr const char *kRegression = "regression", *kAll = "all";

struct TrainArguments {
  ConfigArguments config;
  std::string examples, models, out, name;
  std::string learn = kAll;
  bool from_topic = false;
};

struct Learners {
  ChurnTraining training;
  ShadowOnClosed shadow;
};

absl::Status AddExample(const Record& record, const std::string& where, Learners& learners) {
  const auto message = DecodeResult(*v1::ChurnExample::descriptor(), record);
  if (!message.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", message.status().message()));
  }
  const auto& example = static_cast<const v1::ChurnExample&>(**message);
  learners.shadow.Add(example);
  learners.training.Add(example);
  return absl::OkStatus();
}

absl::Status ReadFile(const std::string& path, Learners& learners) {
  auto reader = LineReader::Open(path);
  if (!reader.ok()) return reader.status();
  for (Line line; (*reader)->Next(line);) {
    if (line.text.empty()) continue;
    Record record;
    record.value = line.text;
    const std::string where = absl::StrCat(path, ":", line.number);
    if (line.too_long) return absl::InvalidArgumentError(absl::StrCat(where, ": too long for an example"));
    if (absl::Status s = AddExample(record, where, learners); !s.ok()) return s;
  }
  return (*reader)->status();
}

// All that was committed by now.
absl::Status ReadTopic(const Config& config, const Program& program, Learners& learners) {
  auto chain = program.BuildChain(config);
  if (!chain.ok()) return chain.status();
  auto topics = ChooseResultTopics(ResultTopics(**chain, config.engine), {kExamples});
  if (!topics.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("this configuration collects no examples (churn.examples.every): ", topics.status().message()));
  }
  auto reader = ResultReader::Open(config, "train", *topics, KafkaTail::Start::Beginning());
  if (!reader.ok()) return reader.status();
  while (true) {
    auto result = (*reader)->Next(std::chrono::milliseconds(200));
    if (absl::IsUnavailable(result.status())) continue;  // the client says so in the log, and comes back by itself
    if (!result.ok()) return result.status();
    if (result->has_value()) {
      const Record& record = (*result)->record;
      const std::string where = absl::StrCat((*result)->topic->topic, "/", record.partition, "@", record.offset);
      if (absl::Status s = AddExample(record, where, learners); !s.ok()) return s;
    } else if ((*reader)->at_end()) {
      return absl::OkStatus();
    }
  }
}

// The models that the new one joins: of a file, of the configuration, or those that are built in.
absl::StatusOr<v1::ModelFile> ModelsFor(const TrainArguments& arguments, const Config& config) {
  const std::string& configured = config.chain.models.path;
  if (!arguments.models.empty()) return ReadModelFile(arguments.models);
  if (configured.empty()) return BuiltInModels();
  return ReadModelFile(std::filesystem::path(arguments.config.path()).parent_path() / configured);
}

absl::Status Train(const TrainArguments& arguments, const Program& program) {
  if (arguments.from_topic == !arguments.examples.empty()) {
    return absl::InvalidArgumentError("give either --examples FILE or --from-topic");
  }
  const auto config = arguments.config.Load();
  if (!config.ok()) return config.status();
  auto file = ModelsFor(arguments, *config);
  if (!file.ok()) return file.status();
  Learners learners{.training = ChurnTraining({.trees = arguments.learn == kAll}), .shadow = {}};
  ChurnTraining& training = learners.training;
  const absl::Status read =
      arguments.from_topic ? ReadTopic(*config, program, learners) : ReadFile(arguments.examples, learners);
  if (!read.ok()) return read;
  std::cout << learners.shadow.Text() << std::flush;
  const auto trained = training.Train();
  if (training.left_out() > 0) {
    std::cerr << training.left_out() << " examples are left out: of other features or another horizon\n";
  }
  if (!trained.ok()) return trained.status();
  std::cout << LearnedText(trained->fit) << std::flush;
  if (!trained->better) {
    return absl::CancelledError(
        "what was learned is not better than what was said (better: a lower Brier score, and an AUC that is not "
        "lower); "
        "nothing is written");
  }
  std::cout << "better than what was said: " << trained->fit.card().model()
            << ", by a lower Brier score, and an AUC that is not lower\n"
            << std::flush;
  if (arguments.out.empty()) return absl::OkStatus();
  *file->mutable_learned() = trained->fit;
  if (!arguments.name.empty()) file->set_name(arguments.name);
  const auto written = WriteModelFile(arguments.out, *std::move(file));
  if (!written.ok()) return written.status();
  std::cout << arguments.out << ": " << ModelIdentity(*written) << "\n" << std::flush;
  return absl::OkStatus();
}

}  // namespace

void AddTrain(Program& program) {
  auto options = std::make_shared<TrainArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "train",
       .about = "Learns models of churn from the stream's own examples; writes the best when it is better",
       .examples = {"portrait train --from-topic --config portrait.yaml --out learned.json",
                    "portrait tail churn-examples --from-beginning --exit --json > examples.jsonl",
                    "portrait train --examples examples.jsonl --models models.json --out learned.json"}},
      [options](const Program& chosen) { return Train(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("--examples", options->examples, "Examples, a JSON object a line, plain or gzipped")
      ->type_name("FILE");
  app.add_flag("--from-topic", options->from_topic, "The committed examples of the output churn-examples");
  app.add_option("--learn", options->learn,
                 "What is learned, and judged beside the model in force: all is a regression and trees")
      ->check(CLI::IsMember({kRegression, kAll}))
      ->capture_default_str();
  app.add_option("--models", options->models,
                 "The models that the learned one joins; by default those of the configuration (models.file)")
      ->type_name("FILE");
  app.add_option("--name", options->name, "Name of the models, as alerts carry it; by default that of --models");
  app.add_option("-o,--out", options->out, "Write models and card here, if the learned one is better")
      ->type_name("FILE");
}

}  // namespace portrait
