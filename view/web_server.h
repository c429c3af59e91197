// The server that carries the API: HTTP/1.1, over TLS or plain, asynchronous on one thread.
//
//   auto server = WebServer::Start(config.view, limits, thread, handler, metrics);
//
// Thousands of slow clients cost memory for a buffer each, never a thread; what they may take is bounded by HttpLimits.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/config/config.h"
#include "pipeline/metrics.h"
#include "view/http_message.h"
#include "view/server_thread.h"

namespace portrait::view {

struct HttpLimits {
  size_t connections = 1000;       // more are closed at once
  size_t header_bytes = 32 << 10;  // else 431
  size_t target_bytes = 16 << 10;  // else 414
  size_t body_bytes = 16 << 10;    // else 413
  Duration request = seconds(10);  // for a request to come, once its connection is made or its first byte is there
  Duration idle = seconds(60);     // between requests
  Duration write = seconds(20);    // for what is sent to be taken
  Duration beat = seconds(15);     // a stream is never silent for longer
  size_t stream_bytes = 64 << 10;  // sent at once on a stream
};

// Runs on the server's thread only.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // `respond` is called once, on the server's thread, now or later.
  virtual void Handle(HttpRequest request, std::function<void(HttpResponse)> respond) = 0;
};

class WebServer {
 public:
  // Listens from now on; answers once the thread runs. Port 0: any free one. Everything given must outlive the thread's
  // Stop, and so must the server. Unavailable: the address cannot be listened on. InvalidArgument: certificate or key
  // cannot be used.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const ViewConfig& config, const HttpLimits& limits,
                                                          ServerThread& thread, HttpHandler& handler, Metrics& metrics);
  ~WebServer();

  int port() const;

 private:
  struct Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace portrait::view
