// The parts that Settings() is put together from, each appending its settings in the order of the documentation.
#pragma once

#include <vector>

#include "pipeline/config/setting.h"

namespace portrait {

void AddEngineSettings(std::vector<Setting>& all);
void AddChainSettings(std::vector<Setting>& all);    // currency, operators
void AddServiceSettings(std::vector<Setting>& all);  // Kafka, HTTP, log

}  // namespace portrait
