// Whether this process can do its work now, for load balancers and for people.
//
//   Health health;                                          // "starting"
//   health.Wait("worker 1", "restoring partition 3, 43 %");  // not ready, and why
//   health.Started();
//   health.Ready("worker 1");                               // ready: nobody waits any more
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace portrait {

// Safe from any thread.
class Health {
 public:
  // This part cannot work now; `reason` is a sentence without a full stop, and replaces its last one.
  void Wait(std::string_view part, std::string_view reason);
  void Ready(std::string_view part);
  // Everybody who may have to wait has said so.
  void Started() { Ready("start"); }
  // This process cannot go on and is about to end. The first reason stays.
  void Fail(std::string_view reason);

  // While this tells something, the part cannot work, and that is why: for what is under way in the thread of the part
  // itself. `tell` must be safe from any thread; nothing ends it.
  void Watch(std::string_view part, std::function<std::string()> tell);

  struct Report {
    bool alive = true;  // false: failed
    bool ready = false;
    std::string reason;  // why not, one reason a line; empty when ready
  };
  Report Now() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> waiting_ = {{"start", "starting"}};  // guarded by mutex_
  std::map<std::string, std::function<std::string()>, std::less<>> watched_;           // guarded by mutex_
  std::string failure_;                                                                // guarded by mutex_
};

}  // namespace portrait
