// A request and its answer, without the library that carries them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace portrait::view {

struct HttpRequest {
  std::string method;
  std::string target;  // as it came
  std::string host, authorization, cookie, content_type, last_event_id;
  bool forwarded = false;  // by another instance, which is not to be asked in turn
  std::string body;
  std::string remote;  // the other side's address
  bool secure = false;
};

// What a request asks for: "/v1/customers/a%2Fb?limit=3".
struct HttpTarget {
  std::vector<std::string> segments;                       // of the path, decoded: {"v1", "customers", "a/b"}
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order

  // InvalidArgument: a percent sign that starts no byte, a text that is no UTF-8 or has control characters, or no path.
  static absl::StatusOr<HttpTarget> Parse(std::string_view target);
};

// %41 and %C3%A9, and + as a blank where `plus`. Nothing when a percent sign is followed by no byte.
std::optional<std::string> PercentDecoded(std::string_view text, bool plus);
// Everything but letters, digits and -._~ as %XX.
std::string PercentEncoded(std::string_view text);

// Text that goes on and on, on the server's thread.
class TextStream {
 public:
  virtual ~TextStream() = default;
  // What there is to send, about `bytes`; empty: nothing yet. Nothing: the client has fallen too far behind.
  virtual std::optional<std::string> Take(size_t bytes) = 0;
  // Called when Take may have something after it had nothing.
  virtual void OnReady(std::function<void()> wake) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that every answer has
  std::shared_ptr<TextStream> stream;                        // then the body is what it gives
};

// {"error": {"code", "message"}}; `instance` where it is known who could help.
HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message, std::string_view instance = {});

}  // namespace portrait::view
