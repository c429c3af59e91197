// The endpoint for operations: /metrics (Prometheus), /healthz (alive?) and /readyz (can it work now, and if not,
// why?), and POST /backup for `portrait backup`.
//
//   auto server = HttpServer::Start({.host = "127.0.0.1", .port = 8080}, metrics, health);
//   if (!server.ok()) ...  // cannot listen: Address already in use: 127.0.0.1:8080
//
// It knows no customer's data. It has no encryption and no password: bind it to the machine itself or to a network of
// your own. A backup may be asked for from this machine only, and not by a web page: it needs the header X-Portrait.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/config/config.h"
#include "pipeline/health.h"
#include "pipeline/metrics.h"

namespace portrait {

// Answers on threads of its own until destroyed, which waits for answers under way. At most four requests at a time,
// others wait; a client that says nothing for two seconds is cut off.
class HttpServer {
 public:
  // Port 0: any free one. `metrics` and `health` must outlive the server.
  // Unavailable: the address cannot be listened on, such as one that another process has.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpConfig::Address& address, const Metrics& metrics,
                                                           const Health& health);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;

  // Makes a backup in the folder and says what is in it. May take long; one at a time. Nothing: there are none.
  using Backup = std::function<absl::StatusOr<std::string>(const std::filesystem::path& to)>;
  void ServeBackups(Backup backup);

 private:
  struct Listener;  // keeps httplib.h out of here
  explicit HttpServer(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace portrait
