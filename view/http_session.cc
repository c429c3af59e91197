#include "view/http_session.h"

#include "absl/strings/str_cat.h"

namespace portrait::view::http_session {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "
    "'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

std::string Text(beast::string_view text) { return {text.data(), text.size()}; }
beast::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Response Head(const HttpResponse& from) {
  Response response(static_cast<http::status>(from.status), 11);
  response.set(http::field::content_type, View(from.type));
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy", kPolicy);
  response.set("Referrer-Policy", "no-referrer");
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : from.headers) response.set(View(name), View(value));
  return response;
}

std::optional<HttpResponse> Refusal(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return ErrorResponse(431, "headers_too_large", "the headers are too large");
  if (error == http::error::body_limit) return ErrorResponse(413, "too_large", "the body is too large");
  const bool broken = error.category() == http::make_error_code(http::error::bad_method).category();
  if (!broken || error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  return ErrorResponse(400, "bad_request", absl::StrCat("no HTTP request: ", error.message()));
}

HttpRequest Request(http::request<http::string_body> message) {
  const auto header = [&](auto name) { return Text(message[name]); };
  HttpRequest request;
  request.method = Text(message.method_string());
  request.target = Text(message.target());
  request.host = header(http::field::host);
  request.authorization = header(http::field::authorization);
  request.cookie = header(http::field::cookie);
  request.content_type = header(http::field::content_type);
  request.last_event_id = header("Last-Event-ID");
  request.forwarded = !header("X-Portrait-Forwarded").empty();
  request.body = std::move(message.body());
  return request;
}

}  // namespace portrait::view::http_session
