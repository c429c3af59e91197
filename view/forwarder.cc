#include "view/forwarder.h"

#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "httplib.h"

namespace portrait::view {
namespace {

constexpr size_t kThreadsMost = 8;
constexpr size_t kWaitingMost = 256;
constexpr auto kConnectWithin = std::chrono::seconds(1);
constexpr auto kAnswerWithin = std::chrono::seconds(7);  // longer than an answer waits for a commit

// Connections of one thread, by address.
using Clients = std::map<std::string, std::unique_ptr<httplib::Client>>;

httplib::Client& ClientFor(const std::string& address, const std::string& authorities, Clients& clients) {
  std::unique_ptr<httplib::Client>& client = clients[address];
  if (client == nullptr) {
    client = std::make_unique<httplib::Client>(address);
    client->set_keep_alive(true);
    if (!authorities.empty()) client->set_ca_cert_path(authorities.c_str());
    client->set_connection_timeout(kConnectWithin);
    client->set_read_timeout(kAnswerWithin);
    client->set_write_timeout(kConnectWithin);
  }
  return *client;
}

absl::StatusOr<HttpResponse> AnswerTo(const Forwarder::Question& question, httplib::Client& client) {
  httplib::Headers headers = {{"X-Portrait-Forwarded", "1"}};
  if (!question.token.empty()) headers.emplace("Authorization", absl::StrCat("Bearer ", question.token));
  const httplib::Result got = client.Get(question.target.c_str(), headers);
  if (!got) return absl::UnavailableError(httplib::to_string(got.error()));
  HttpResponse response;
  response.status = got->status;
  response.body = got->body;
  if (got->has_header("Retry-After")) {
    response.headers.emplace_back("Retry-After", got->get_header_value("Retry-After"));
  }
  return response;
}

}  // namespace

Forwarder::~Forwarder() { Stop(); }

void Forwarder::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    waiting_.clear();
    for (httplib::Client* client : asking_) client->stop();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Forwarder::Ask(Question question, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stop_ && waiting_.size() < kWaitingMost) {
      waiting_.push_back({std::move(question), std::move(done)});
      if (idle_ < waiting_.size() && threads_.size() < kThreadsMost) threads_.emplace_back([this] { Work(); });
      changed_.notify_one();
      return;
    }
  }
  done(absl::UnavailableError("too many questions to other instances wait"));
}

void Forwarder::Work() {
  Clients clients;
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    --idle_;
    if (stop_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    httplib::Client& client = ClientFor(next.question.address, authorities_, clients);
    asking_.insert(&client);
    lock.unlock();
    auto answer = AnswerTo(next.question, client);
    lock.lock();
    asking_.erase(&client);
    if (!answer.ok()) clients.erase(next.question.address);
    if (stop_) return;
    lock.unlock();
    next.done(std::move(answer));
    lock.lock();
  }
}

}  // namespace portrait::view
