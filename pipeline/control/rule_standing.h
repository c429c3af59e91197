// Which rules are in force, and which in the shadow: what the records of the control topic come to, in their order.
//
//   RuleStanding standing;
//   for (const ControlLog::Entry& entry : entries) standing.Take(entry.offset + 1, entry.record);
#pragma once

#include <cstdint>

#include "portrait/v1/control.pb.h"

namespace portrait {

inline bool BringsIntoForce(const v1::ControlRecord& record) {
  return record.origin() != v1::ControlRecord::SHADOWED && record.origin() != v1::ControlRecord::SHADOW_ENDED;
}

struct RuleStanding {
  int64_t in_force = 0;  // control position of the record that brought the rules into force; 0: none has
  int64_t shadow = 0;    // … and of the one that put rules into the shadow; 0: there are none

  void Take(int64_t control_position, const v1::ControlRecord& record) {
    if (BringsIntoForce(record)) in_force = control_position;
    const auto origin = record.origin();
    if (origin == v1::ControlRecord::SHADOWED) shadow = control_position;
    if (origin == v1::ControlRecord::SHADOW_ENDED || origin == v1::ControlRecord::PROMOTED) shadow = 0;
  }
};

}  // namespace portrait
