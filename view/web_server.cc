#include "view/web_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "view/http_session.h"

namespace portrait::view {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kSendBufferBytes = 128 << 10;  // of the kernel: clients that do not read must not fill its memory

std::string Shown(const HttpConfig::Address& address) {
  const bool six = absl::StrContains(address.host, ":");
  return absl::StrCat(six ? "[" : "", address.host, six ? "]" : "", ":", address.port);
}

// How many connections there may be: descriptors are shared with the engine, which must never lack one.
size_t ConnectionsMost(size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::min<size_t>(wanted, 200);
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return std::min<size_t>(wanted, limit.rlim_cur / 2);
}

}  // namespace

struct WebServer::Impl {
  Impl(const HttpLimits& limits_given, ServerThread& thread, HttpHandler& handler, Metrics& metrics)
      : limits(limits_given), context{limits, handler, metrics}, io(thread.io()) {}

  // What needs the io_context, which goes before this: the waiting functions alone keep it.
  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io), pause(io) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };
  using ListenerPtr = std::shared_ptr<Listener>;

  absl::StatusOr<ListenerPtr> Listen(const HttpConfig::Address& address);
  absl::Status LoadTls(const ViewConfig& config);
  void Accept(ListenerPtr listener);
  void Serve(tcp::socket socket);

  const HttpLimits limits;
  HttpContext context;
  asio::io_context& io;
  std::optional<ssl::context> tls;
  size_t most = 0;
  int port = 0;
};

absl::StatusOr<WebServer::Impl::ListenerPtr> WebServer::Impl::Listen(const HttpConfig::Address& address) {
  auto listener = std::make_shared<Listener>(io);
  tcp::acceptor& acceptor = listener->acceptor;
  error_code error;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(address.host, std::to_string(address.port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (!error) {
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen for the view (view.listen): ", error.message(), ": ", Shown(address)));
  }
  port = acceptor.local_endpoint().port();
  return listener;
}

absl::Status WebServer::Impl::LoadTls(const ViewConfig& config) {
  if (!config.tls_authorities.empty()) {  // are for the forwarder; whether they are any good is better known now
    ssl::context authorities(ssl::context::tls_client);
    error_code error;
    authorities.load_verify_file(config.tls_authorities, error);
    if (error) {
      return absl::InvalidArgumentError(
          absl::StrCat("view.tls.authorities: ", error.message(), ": ", config.tls_authorities));
    }
  }
  if (config.tls_certificate.empty()) return absl::OkStatus();
  tls.emplace(ssl::context::tls_server);
  tls->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                   ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  error_code error;
  tls->use_certificate_chain_file(config.tls_certificate, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("view.tls.certificate: ", error.message(), ": ", config.tls_certificate));
  }
  tls->use_private_key_file(config.tls_key, ssl::context::pem, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("view.tls.key: ", error.message(), ": ", config.tls_key));
  return absl::OkStatus();
}

void WebServer::Impl::Accept(ListenerPtr listener) {
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.async_accept([this, listener = std::move(listener)](const error_code& error, tcp::socket socket) mutable {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      if (context.sessions < most) Serve(std::move(socket));
      return Accept(std::move(listener));
    }
    // No descriptor is left, or the client has gone.
    asio::steady_timer& pause = listener->pause;
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([this, listener = std::move(listener)](const error_code& ended) mutable {
      if (!ended) Accept(std::move(listener));
    });
  });
}

void WebServer::Impl::Serve(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
  if (tls) {
    HttpSession<ssl::stream<beast::tcp_stream>>::Start(context, std::move(socket), *tls);
  } else {
    HttpSession<beast::tcp_stream>::Start(context, std::move(socket));
  }
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

int WebServer::port() const { return impl_->port; }

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const ViewConfig& config, const HttpLimits& limits,
                                                            ServerThread& thread, HttpHandler& handler,
                                                            Metrics& metrics) {
  auto impl = std::make_unique<Impl>(limits, thread, handler, metrics);
  impl->most = ConnectionsMost(limits.connections);
  if (absl::Status s = impl->LoadTls(config); !s.ok()) return s;
  auto listener = impl->Listen(*config.listen);
  if (!listener.ok()) return listener.status();
  impl->Accept(*std::move(listener));
  return std::unique_ptr<WebServer>(new WebServer(std::move(impl)));
}

}  // namespace portrait::view
