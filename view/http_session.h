// One connection of the server: its requests one after the other, and a stream as the last answer.
//
//   HttpSession<beast::tcp_stream>::Start(context, std::move(socket));
//
// A session is kept alive by the operation that it waits for, and by nothing else: when the thread's io_context goes,
// all sessions do.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "pipeline/metrics.h"
#include "view/http_message.h"
#include "view/web_server.h"

namespace portrait::view {

// What all sessions of a server share; on the server's thread.
struct HttpContext {
  const HttpLimits& limits;
  HttpHandler& handler;
  Metrics& metrics;
  size_t sessions = 0;
};

namespace http_session {

using Response = boost::beast::http::response<boost::beast::http::string_body>;

// Status line and headers; the body is not set.
Response Head(const HttpResponse& from);
// What a request that could not be read gets, if anything.
std::optional<HttpResponse> Refusal(const boost::system::error_code& error);
HttpRequest Request(boost::beast::http::request<boost::beast::http::string_body> message);

}  // namespace http_session

template <class Stream>
class HttpSession : public std::enable_shared_from_this<HttpSession<Stream>> {
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;
  static constexpr bool kTls = !std::is_same_v<Stream, boost::beast::tcp_stream>;

 public:
  // `tls` is for a stream of TLS only.
  template <class... Tls>
  static void Start(HttpContext& context, tcp::socket socket, Tls&... tls) {
    error_code error;
    const tcp::endpoint from = socket.remote_endpoint(error);
    if (error) return;  // has gone
    std::make_shared<HttpSession>(context, from.address().to_string(),
                                  Stream(boost::beast::tcp_stream(std::move(socket)), tls...))
        ->Begin();
  }
  HttpSession(HttpContext& context, std::string remote, Stream stream)
      : context_(context), remote_(std::move(remote)), stream_(std::move(stream)), timer_(stream_.get_executor()) {
    context_.metrics.view_connections.Set(static_cast<int64_t>(++context_.sessions));
  }
  ~HttpSession() {
    if (sending_) sending_->OnReady({});
    context_.metrics.view_connections.Set(static_cast<int64_t>(--context_.sessions));
  }
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

 private:
  auto& lowest() { return boost::beast::get_lowest_layer(stream_); }
  // A function to go on with; it keeps the session.
  template <class... Arguments>
  auto Then(void (HttpSession::*next)(error_code, Arguments...)) {
    return [self = this->shared_from_this(), next](error_code error, Arguments... arguments) {
      (self.get()->*next)(error, arguments...);
    };
  }

  void Begin() {
    if constexpr (kTls) {
      lowest().expires_after(context_.limits.request);
      stream_.async_handshake(boost::asio::ssl::stream_base::server, Then(&HttpSession::OnHandshake));
    } else {
      ReadRequest();
    }
  }
  void OnHandshake(error_code error) {
    if (!error) ReadRequest();
  }

  // Between requests a client may take longer than within one.
  void AwaitRequest() {
    if (buffer_.size() > 0) return ReadRequest();
    lowest().expires_after(context_.limits.idle);
    stream_.async_read_some(buffer_.prepare(kReadBytes), Then(&HttpSession::OnFirstBytes));
  }
  void OnFirstBytes(error_code error, size_t bytes) {
    if (error) return;
    buffer_.commit(bytes);
    ReadRequest();
  }

  void ReadRequest() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(context_.limits.header_bytes));
    parser_->body_limit(context_.limits.body_bytes);
    lowest().expires_after(context_.limits.request);
    boost::beast::http::async_read(stream_, buffer_, *parser_, Then(&HttpSession::OnRequest));
  }
  void OnRequest(error_code error, size_t) {
    if (error) {
      keep_alive_ = head_ = false;
      std::optional<HttpResponse> refusal = http_session::Refusal(error);
      if (!refusal) return;
      refused_ = true;
      return Write(*std::move(refusal));
    }
    lowest().expires_never();
    auto message = parser_->release();
    head_ = message.method() == boost::beast::http::verb::head;
    keep_alive_ = message.keep_alive();
    HttpRequest request = http_session::Request(std::move(message));
    if (request.target.size() > context_.limits.target_bytes) {
      return Write(ErrorResponse(414, "uri_too_long", "the path is too long"));
    }
    request.remote = remote_;
    request.secure = kTls;
    // The timer keeps the session while the answer is awaited, and ends when it is there.
    answer_.reset();
    timer_.expires_at(boost::asio::steady_timer::time_point::max());
    timer_.async_wait(Then(&HttpSession::OnAnswer));
    context_.handler.Handle(std::move(request), [session = this->weak_from_this()](HttpResponse answer) {
      const auto self = session.lock();
      if (self == nullptr) return;
      self->answer_ = std::move(answer);
      self->timer_.cancel();
    });
  }
  void OnAnswer(error_code) {
    if (!answer_) return;
    HttpResponse answer = *std::move(answer_);
    if (answer.stream && !head_) return WriteHead(std::move(answer));
    Write(std::move(answer));
  }

  void Write(HttpResponse from) {
    response_ = http_session::Head(from);
    response_.keep_alive(keep_alive_);
    if (from.status != 204) response_.content_length(from.body.size());
    if (!head_) response_.body() = std::move(from.body);
    serializer_.emplace(response_);
    lowest().expires_after(context_.limits.write);
    if (head_) {
      boost::beast::http::async_write_header(stream_, *serializer_, Then(&HttpSession::OnWritten));
    } else {
      boost::beast::http::async_write(stream_, *serializer_, Then(&HttpSession::OnWritten));
    }
  }
  void OnWritten(error_code error, size_t) {
    if (error) return;
    if (keep_alive_) return AwaitRequest();
    Close();
  }

  void WriteHead(HttpResponse from) {
    sending_ = from.stream;
    response_ = http_session::Head(from);
    response_.keep_alive(false);
    response_.set("X-Accel-Buffering", "no");  // for proxies
    serializer_.emplace(response_);
    lowest().expires_after(context_.limits.write);
    boost::beast::http::async_write_header(stream_, *serializer_, Then(&HttpSession::OnHeadWritten));
  }
  void OnHeadWritten(error_code error, size_t) {
    if (error) return;
    open_.emplace(context_.metrics);
    sending_->OnReady([session = this->weak_from_this()] {
      if (const auto self = session.lock()) self->timer_.cancel();
    });
    WriteMore();
  }
  void WriteMore() {
    std::optional<std::string> text = sending_->Take(context_.limits.stream_bytes);
    if (!text) return Cut();
    if (!text->empty()) return WriteText(*std::move(text));
    // A client's end is not seen while nothing is sent: the beat finds it.
    lowest().expires_never();
    timer_.expires_after(context_.limits.beat);
    timer_.async_wait(Then(&HttpSession::OnMore));
  }
  void OnMore(error_code woken) {
    if (woken) return WriteMore();
    WriteText(": beat\n\n");
  }
  void WriteText(std::string text) {
    text_ = std::move(text);
    lowest().expires_after(context_.limits.write);
    boost::asio::async_write(stream_, boost::asio::buffer(text_), Then(&HttpSession::OnTextWritten));
  }
  void OnTextWritten(error_code error, size_t) {
    if (!error) return WriteMore();
    if (error == boost::beast::error::timeout) Cut();
  }
  // A client that does not keep up.
  void Cut() {
    context_.metrics.view_streams_cut.Increment();
    Close();
  }

  void Close() {
    if constexpr (kTls) {
      lowest().expires_after(context_.limits.request);
      stream_.async_shutdown(Then(&HttpSession::OnClosed));
    } else {
      error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      if (refused_) Drain();
    }
  }
  void OnClosed(error_code) {}
  // What a refused client is still sending is read for a while: with bytes unread the kernel would reset the
  // connection, and the client would never see why.
  void Drain() {
    if (drained_ > kDrainBytes) return;
    lowest().expires_after(context_.limits.write);
    stream_.async_read_some(boost::asio::buffer(drain_), Then(&HttpSession::OnDrained));
  }
  void OnDrained(error_code error, size_t bytes) {
    drained_ += bytes;
    if (!error) Drain();
  }

  // Counts an open stream.
  class OpenStream {
   public:
    explicit OpenStream(Metrics& metrics) : metrics_(metrics) { metrics_.view_streams.Increment(); }
    ~OpenStream() { metrics_.view_streams.Decrement(); }
    OpenStream(const OpenStream&) = delete;
    OpenStream& operator=(const OpenStream&) = delete;

   private:
    Metrics& metrics_;
  };

  static constexpr size_t kReadBytes = 4096;
  static constexpr size_t kDrainBytes = 1 << 20;

  HttpContext& context_;
  const std::string remote_;
  Stream stream_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<HttpResponse> answer_;
  http_session::Response response_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> serializer_;
  std::shared_ptr<TextStream> sending_;
  std::optional<OpenStream> open_;
  std::string text_;
  bool keep_alive_ = false, head_ = false, refused_ = false;
  std::array<char, kReadBytes> drain_;
  size_t drained_ = 0;
};

}  // namespace portrait::view
