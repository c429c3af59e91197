// A chain as people and programs read it.
#pragma once

#include <string>

#include "operators/chain.h"
#include "pipeline/options.h"

namespace portrait {

// Sources, operators with what they read and write, and features with type, unit and meaning.
std::string ChainAsText(const Chain& chain, const EngineOptions& engine);

// A graph for Graphviz: topics, operators, results.
std::string ChainAsDot(const Chain& chain, const EngineOptions& engine);

// {version, sources, operators: [{name, about, reads, features: [{name, type, unit, meaning, columns}], timers,
// writes}], outputs, events: [{kind, fields: [{name, type, unit}]}]}. Fields are added over time, none is taken away.
std::string ChainAsJson(const Chain& chain, const EngineOptions& engine);

}  // namespace portrait
