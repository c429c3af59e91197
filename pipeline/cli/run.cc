// `portrait run`: the service.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/log.h"
#include "pipeline/service/service.h"
#include "view/view.h"

namespace portrait {
namespace {

// Waits for SIGINT or SIGTERM on a thread of its own; they must be blocked in all threads, so before any is started.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  ~StopSignals() {
    if (!thread_.joinable()) return;
    done_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

  void OnStop(std::function<void()> stop) {
    thread_ = std::thread([this, stop = std::move(stop)] {
      int signal = 0;
      while (!done_) {
        sigwait(&signals_, &signal);
        if (signal == SIGUSR1) continue;
        LogInfo("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
        stop();
        return;
      }
    });
  }

 private:
  sigset_t signals_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

absl::Status Run(const ConfigArguments& arguments, const std::string& replay_tail_of, const Program& program) {
  auto config = arguments.Load();
  if (!config.ok()) return config.status();
  config->engine.replay_tail_of = replay_tail_of;
  StartLog(config->log);
  const auto chain = program.BuildChain(*config);
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  StopSignals signals;
  std::atomic<KafkaService*> running{nullptr};
  signals.OnStop([&] {
    KafkaService* const service = running;
    if (service == nullptr) std::_Exit(0);  // still waiting for the brokers: there is nothing to lose
    service->Stop();
  });
  const auto with_rules = [config = *config, &program](const DecidedRules& rules) {
    return program.BuildChainWithRules(config, rules);
  };
  auto service = KafkaService::Start(*config, **chain, with_rules, StartView);
  if (!service.ok()) return service.status();
  running = service->get();
  const absl::Status ended = (*service)->Wait();
  if (ended.ok()) LogInfo("stopped");
  return ended;
}

}  // namespace

void AddRun(Program& program) {
  auto arguments = std::make_shared<ConfigArguments>();
  auto replay_tail_of = std::make_shared<std::string>();
  CLI::App& app = program.AddCommand(
      {.name = "run",
       .about = "Runs the service until SIGTERM or Ctrl-C, which end it with a last commit",
       .examples = {"portrait run --config deploy/portrait.yaml", "portrait run --brokers kafka-1:9092,kafka-2:9092"}},
      [arguments, replay_tail_of](const Program& chosen) { return Run(*arguments, *replay_tail_of, chosen); });
  arguments->AddTo(app);
  app.add_option("--replay-tail-of", *replay_tail_of,
                 "After a crash: replay what that other chain version has left, as this one computes it")
      ->type_name("VERSION");
}

}  // namespace portrait
