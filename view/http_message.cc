#include "view/http_message.h"

#include <algorithm>

#include "operators/utf8.h"
#include "view/json.h"

namespace portrait::view {
namespace {

int HexOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Text that may be shown and logged as it is.
bool IsPlainText(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return IsUtf8(text) && std::none_of(text.begin(), text.end(), control);
}

absl::StatusOr<std::string> Decoded(std::string_view text, bool plus, const char* what) {
  auto decoded = PercentDecoded(text, plus);
  if (!decoded) return absl::InvalidArgumentError(std::string(what) + ": a percent sign needs two hexadecimal digits");
  if (!IsPlainText(*decoded)) {
    return absl::InvalidArgumentError(std::string(what) + ": must be UTF-8 without control characters");
  }
  return *std::move(decoded);
}

}  // namespace

std::optional<std::string> PercentDecoded(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? HexOf(text[i + 1]) : -1, low = high >= 0 ? HexOf(text[i + 2]) : -1;
      if (low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(plus && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::string PercentEncoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

absl::StatusOr<HttpTarget> HttpTarget::Parse(std::string_view target) {
  if (target.empty() || target.front() != '/') return absl::InvalidArgumentError("the target must be a path");
  HttpTarget out;
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  std::string_view path = target.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  while (true) {
    const size_t slash = path.find('/');
    auto segment = Decoded(path.substr(0, slash), /*plus=*/false, "path");
    if (!segment.ok()) return segment.status();
    out.segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  std::string_view query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    auto name = Decoded(part.substr(0, equals), /*plus=*/true, "query");
    auto value = Decoded(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1), /*plus=*/true,
                         "query");
    if (!name.ok()) return name.status();
    if (!value.ok()) return value.status();
    out.query.emplace_back(*std::move(name), *std::move(value));
  }
  return out;
}

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message, std::string_view instance) {
  Json error = {{"code", std::string(code)}, {"message", std::string(message)}};
  if (!instance.empty()) error["instance"] = std::string(instance);
  HttpResponse response{.status = status, .body = Dump({{"error", std::move(error)}})};
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace portrait::view
