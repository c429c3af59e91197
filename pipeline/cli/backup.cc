// `portrait backup` and `portrait restore`: copies of a process's local state, made while it runs.
#include "pipeline/backup.h"

#include <httplib.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"

namespace portrait {
namespace {

constexpr int kPatienceSeconds = 3600;  // local state is copied meanwhile, maybe to another disk

struct BackupOptions {
  ConfigArguments config;
  std::string folder;
};

absl::Status BackUp(const BackupOptions& options) {
  const auto config = options.config.Load();
  if (!config.ok()) return config.status();
  if (!config->http.listen || config->http.listen->port == 0) {
    return absl::FailedPreconditionError(
        "the running service is asked for the backup at http.listen, which is off; or stop it and copy state.dir");
  }
  const std::string& host = config->http.listen->host;
  httplib::Client client(host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host, config->http.listen->port);
  client.set_read_timeout(kPatienceSeconds);
  const std::string to = std::filesystem::absolute(options.folder).lexically_normal().string();
  const auto answer = client.Post("/backup", {{"X-Portrait", "backup"}}, to, "text/plain");
  if (!answer) {
    return absl::UnavailableError(absl::StrCat("no service answers at http.listen: ", host, ":",
                                               config->http.listen->port, ": ", httplib::to_string(answer.error())));
  }
  if (answer->status != 200) {
    return absl::FailedPreconditionError(
        absl::StrCat("the service made no backup: ", absl::StripSuffix(answer->body, "\n")));
  }
  std::cout << answer->body << "in " << to << std::endl;
  return absl::OkStatus();
}

absl::Status Restore(const BackupOptions& options) {
  const auto config = options.config.Load();
  if (!config.ok()) return config.status();
  const EngineOptions& engine = config->engine;
  if (absl::Status s = RestoreBackup(options.folder, engine.state_dir, engine.application_id); !s.ok()) return s;
  const auto backup = ReadBackup(options.folder);
  if (!backup.ok()) return backup.status();
  std::cout << DescribeBackup(*backup) << "is in " << engine.state_dir.string()
            << "; the service takes what came later from the changelog" << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddBackup(Program& program) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App& app =
      program.AddCommand({.name = "backup",
                          .about = "Copies the local state of the running service into a new folder, while it goes on",
                          .examples = {"portrait backup --to /backup/portrait-1-monday --config /etc/portrait.yaml"}},
                         [options](const Program&) { return BackUp(*options); });
  options->config.AddTo(app);
  app.add_option("--to", options->folder, "The folder to be made")->required()->type_name("FOLDER");
}

void AddRestore(Program& program) {
  auto options = std::make_shared<BackupOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "restore",
       .about = "Puts a backup where the service looks for its local state; the service must not run",
       .examples = {"portrait restore --from /backup/portrait-1-monday --config /etc/portrait.yaml"}},
      [options](const Program&) { return Restore(*options); });
  options->config.AddTo(app);
  app.add_option("--from", options->folder, "The folder of a backup")->required()->type_name("FOLDER");
}

}  // namespace portrait
