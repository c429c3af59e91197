#include "pipeline/tools/stop_signal.h"

#include <csignal>

namespace portrait {

namespace {

volatile sig_atomic_t stop_raised = 0;

void OnSignal(int number) {
  stop_raised = 1;
  signal(number, SIG_DFL);
}

}  // namespace

StopSignal::StopSignal() {
  stop_raised = 0;
  signal(SIGINT, OnSignal);
  signal(SIGTERM, OnSignal);
}

StopSignal::~StopSignal() {
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

bool StopSignal::raised() const { return stop_raised != 0; }

}  // namespace portrait
