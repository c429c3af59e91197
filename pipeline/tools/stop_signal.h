// Ctrl-C and SIGTERM as a wish to end, for commands that finish what they have begun.
//
//   StopSignal stop;
//   while (!stop.raised()) ...
#pragma once

namespace portrait {

// One at a time in a process. The first signal raises the flag, a second one ends the process as usual.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();  // signals do again what they did before
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool raised() const;
};

}  // namespace portrait
