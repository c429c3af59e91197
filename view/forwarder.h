// Asks another instance of the pipeline for a customer who is there.
//
//   forwarder.Ask({.address = "http://10.0.0.5:8081", .target = "/v1/customers/anna", .token = token}, done);
//
// On threads of its own, since an instance that has gone answers late or never; what waits for them is bounded.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "view/http_message.h"

namespace httplib {
class Client;
}

namespace portrait::view {

// Safe from any thread.
class Forwarder {
 public:
  struct Question {
    std::string address;  // http(s)://host:port
    std::string target;   // as it came
    std::string token;    // empty: none is needed
  };
  // Called once, on a thread of the forwarder or at once. Unavailable: the other one does not answer, or too much
  // waits.
  using Done = std::function<void(absl::StatusOr<HttpResponse>)>;

  // `authorities`: a PEM file of those who must have signed the certificate of an https address; empty: whoever the
  // system trusts.
  explicit Forwarder(std::string authorities) : authorities_(std::move(authorities)) {}
  ~Forwarder();  // stops
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  void Ask(Question question, Done done);
  // Gives up what is under way; what waits is not answered any more.
  void Stop();

 private:
  struct Waiting {
    Question question;
    Done done;
  };
  void Work();

  const std::string authorities_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  // guarded by mutex_, as below
  size_t idle_ = 0;
  std::set<httplib::Client*> asking_;
  std::deque<Waiting> waiting_;
  std::vector<std::thread> threads_;
};

}  // namespace portrait::view
