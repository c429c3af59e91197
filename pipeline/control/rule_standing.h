// Which rules and which models are in force, and which in the shadow: what the records of the control topic come to, in
// their order.
//
//   RuleStanding standing;
//   for (const ControlLog::Entry& entry : entries) standing.Take(entry.offset + 1, entry.record);
#pragma once

#include <cstdint>

#include "portrait/v1/control.pb.h"

namespace portrait {

// The record is about models, and leaves the rules as they stand.
inline bool IsOfModels(const v1::ControlRecord& record) {
  switch (record.origin()) {
    case v1::ControlRecord::MODELS_APPLIED:
    case v1::ControlRecord::MODELS_ROLLED_BACK:
    case v1::ControlRecord::MODELS_SHADOWED:
    case v1::ControlRecord::MODELS_SHADOW_ENDED:
    case v1::ControlRecord::MODELS_PROMOTED: return true;
    default: return false;
  }
}

// The record is about the models in the shadow alone.
inline bool IsOfModelsInShadow(const v1::ControlRecord& record) {
  return record.origin() == v1::ControlRecord::MODELS_SHADOWED ||
         record.origin() == v1::ControlRecord::MODELS_SHADOW_ENDED;
}

// The record brings rules into force.
inline bool BringsIntoForce(const v1::ControlRecord& record) {
  return record.origin() != v1::ControlRecord::SHADOWED && record.origin() != v1::ControlRecord::SHADOW_ENDED &&
         !IsOfModels(record);
}

struct RuleStanding {
  int64_t in_force = 0;       // control position of the record that brought the rules into force; 0: none has
  int64_t shadow = 0;         // … and of the one that put rules into the shadow; 0: there are none
  int64_t models = 0;         // … and of the one that brought the models into force; 0: those of the configuration are
  int64_t models_shadow = 0;  // … and of the one that put models into the shadow; 0: there are none

  void Take(int64_t control_position, const v1::ControlRecord& record) {
    if (IsOfModels(record) && !IsOfModelsInShadow(record)) models = control_position;
    if (BringsIntoForce(record)) in_force = control_position;
    const auto origin = record.origin();
    if (origin == v1::ControlRecord::SHADOWED) shadow = control_position;
    if (origin == v1::ControlRecord::SHADOW_ENDED || origin == v1::ControlRecord::PROMOTED) shadow = 0;
    if (origin == v1::ControlRecord::MODELS_SHADOWED) models_shadow = control_position;
    if (origin == v1::ControlRecord::MODELS_SHADOW_ENDED || origin == v1::ControlRecord::MODELS_PROMOTED) {
      models_shadow = 0;
    }
  }
};

}  // namespace portrait
