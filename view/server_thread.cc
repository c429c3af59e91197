#include "view/server_thread.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace portrait::view {

namespace asio = boost::asio;

class ServerThread::Work {
 public:
  explicit Work(asio::io_context& io) : guard_(io.get_executor()) {}

 private:
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
};

ServerThread::ServerThread() : io_(std::make_unique<asio::io_context>(1)), work_(std::make_unique<Work>(*io_)) {}
ServerThread::~ServerThread() { Stop(); }

void ServerThread::Start() {
  thread_ = std::thread([this] { io_->run(); });
}

void ServerThread::Stop() {
  if (io_ == nullptr) return;
  io_->stop();
  if (thread_.joinable()) thread_.join();
  work_.reset();
  io_.reset();
}

void ServerThread::Run(std::function<void()> function) { asio::dispatch(*io_, std::move(function)); }

void ServerThread::Post(std::function<void()> function) { asio::post(*io_, std::move(function)); }

void ServerThread::After(Duration pause, std::function<void()> function) {
  auto timer = std::make_shared<asio::steady_timer>(*io_, pause);
  timer->async_wait([timer, function = std::move(function)](const boost::system::error_code& error) {
    if (!error) function();
  });
}

}  // namespace portrait::view
