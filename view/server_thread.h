// The thread that everything of the view runs on.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "operators/time.h"

namespace boost::asio {
class io_context;
}

namespace portrait::view {

class ServerThread {
 public:
  ServerThread();
  ~ServerThread();  // stops
  ServerThread(const ServerThread&) = delete;
  ServerThread& operator=(const ServerThread&) = delete;

  void Start();
  // Ends what runs and destroys what waits; no function is called after that, and Run must not be.
  void Stop();
  // From any thread: runs the function on the thread. At once when this is the thread.
  void Run(std::function<void()> function);
  // The same, behind what waits there, and never at once.
  void Post(std::function<void()> function);
  // The same later.
  void After(Duration pause, std::function<void()> function);

  // Until Stop.
  boost::asio::io_context& io() { return *io_; }

 private:
  class Work;
  std::unique_ptr<boost::asio::io_context> io_;
  std::unique_ptr<Work> work_;  // keeps it running while nothing is to be done
  std::thread thread_;
};

}  // namespace portrait::view
