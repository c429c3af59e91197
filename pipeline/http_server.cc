#include "pipeline/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kPrometheus = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kBadRequest = 400, kForbidden = 403, kConflict = 409, kUnavailable = 503;
constexpr int kThreads = 4;

void AddRoutes(httplib::Server& server, const Metrics& metrics, const Health& health) {
  server.Get("/metrics", [&metrics](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics.Text(), kPrometheus);
  });
  server.Get("/healthz", [&health](const httplib::Request&, httplib::Response& response) {
    const Health::Report report = health.Now();
    if (!report.alive) response.status = kUnavailable;
    response.set_content(report.alive ? "alive\n" : report.reason + "\n", kPlain);
  });
  server.Get("/readyz", [&health](const httplib::Request&, httplib::Response& response) {
    const Health::Report report = health.Now();
    if (!report.ready) response.status = kUnavailable;
    response.set_content(report.ready ? "ready\n" : report.reason + "\n", kPlain);
  });
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("Portrait: /metrics /healthz /readyz\n", kPlain);
  });
}

void AnswerBackup(const httplib::Request& request, const HttpServer::Backup& backup, httplib::Response& response) {
  const auto refuse = [&response](int status, const std::string& why) {
    response.status = status;
    response.set_content(why + "\n", kPlain);
  };
  const bool near = request.remote_addr == "127.0.0.1" || request.remote_addr == "::1";
  if (!near || !request.has_header("X-Portrait")) return refuse(kForbidden, "only for portrait backup on this machine");
  const std::filesystem::path to = request.body;
  if (!to.is_absolute()) return refuse(kBadRequest, "the body must be the absolute path of a new folder");
  if (!backup) return refuse(kUnavailable, "the service is not running yet");
  const auto made = backup(to);
  if (!made.ok()) return refuse(kConflict, std::string(made.status().message()));
  response.set_content(*made, kPlain);
}

void Configure(httplib::Server& server) {
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_keep_alive_max_count(1);  // an idle connection would keep a thread
  server.set_read_timeout(2);
  server.set_write_timeout(2);
  server.set_payload_max_length(4096);
  // Without SO_REUSEPORT, which httplib sets by itself: two processes would share the port, and neither would know.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
}

std::string Shown(const HttpConfig::Address& address) {
  const bool six = address.host.find(':') != std::string::npos;
  return absl::StrCat(six ? "[" : "", address.host, six ? "]" : "", ":", address.port);
}

}  // namespace

struct HttpServer::Listener {
  httplib::Server server;
  std::mutex backup_mutex;
  Backup backup;  // guarded by backup_mutex
  int port = 0;
  std::atomic<bool> ended = false;
  std::thread thread;
};

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

HttpServer::~HttpServer() {
  listener_->server.stop();
  listener_->thread.join();
}

int HttpServer::port() const { return listener_->port; }

void HttpServer::ServeBackups(Backup backup) {
  const std::lock_guard lock(listener_->backup_mutex);
  listener_->backup = std::move(backup);
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpConfig::Address& address,
                                                              const Metrics& metrics, const Health& health) {
  auto listener = std::make_unique<Listener>();
  httplib::Server& server = listener->server;
  Configure(server);
  AddRoutes(server, metrics, health);
  server.Post("/backup", [&to = *listener](const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(to.backup_mutex);
    AnswerBackup(request, to.backup, response);
  });
  errno = 0;
  if (address.port == 0) {
    listener->port = server.bind_to_any_port(address.host);
  } else {
    listener->port = server.bind_to_port(address.host, address.port) ? address.port : -1;
  }
  if (listener->port < 0) {
    const std::string why = errno == 0 ? "no such address" : std::generic_category().message(errno);
    return absl::UnavailableError(absl::StrCat("cannot listen for HTTP (http.listen): ", why, ": ", Shown(address)));
  }
  listener->thread = std::thread([&to = *listener] {
    to.server.listen_after_bind();
    to.ended = true;
  });
  // stop() has no effect before the thread is in its loop.
  while (!server.is_running() && !listener->ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

}  // namespace portrait
