// A JSON event taken apart; what json_decoder.cc and json_bodies.cc share. For sources of this folder only, since it
// brings simdjson with it.
#pragma once

#include "operators/event.h"
#include "pipeline/decode/json_fields.h"

namespace portrait {

// The parts of a JSON event that fields are read from. Those that are not there have no fields.
struct JsonEvent {
  Fields top;
  Fields properties;
  Fields traits;  // of an identify call
  Fields context;
  Fields page;            // context.page
  Fields campaign;        // context.campaign
  Fields context_traits;  // context.traits
};

// Fills in the body of this kind (json_bodies.cc).
void ReadBody(const JsonEvent& in, EventKind kind, FieldReader& read, Event& event);

// Reads consent from the fields of an object; false if it says nothing.
bool ReadConsent(const Fields& fields, FieldReader& read, v1::Consent* (Event::*consent)(), Event& event);

}  // namespace portrait
