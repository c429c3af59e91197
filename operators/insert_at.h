// Inserting into a repeated field of Protobuf, which can only add at its end.
#pragma once

#include "google/protobuf/repeated_field.h"

namespace portrait {

// A new element at `at`, 0 to size(); those from there on move up.
template <class Message>
Message& InsertAt(int at, google::protobuf::RepeatedPtrField<Message>& all) {
  all.Add();
  for (int i = all.size() - 1; i > at; --i) all.SwapElements(i, i - 1);
  return all[at];
}

}  // namespace portrait
