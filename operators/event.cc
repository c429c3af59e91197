#include "operators/event.h"

namespace portrait {

std::string_view EventKindName(EventKind kind) {
  const auto* field = Event::descriptor()->FindFieldByNumber(static_cast<int>(kind));
  return field == nullptr ? std::string_view("unknown") : std::string_view(field->name());
}

std::optional<EventKind> EventKindNamed(std::string_view name) {
  const auto* field = Event::descriptor()->FindFieldByName(std::string(name));
  if (field == nullptr || field->containing_oneof() == nullptr) return std::nullopt;
  return static_cast<EventKind>(field->number());
}

}  // namespace portrait
