// The parts that Settings() is put together from, each appending its settings in the order of the documentation.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "pipeline/config/setting.h"

namespace portrait {

void AddEngineSettings(std::vector<Setting>& all);
void AddChainSettings(std::vector<Setting>& all);    // currency, operators
void AddServiceSettings(std::vector<Setting>& all);  // Kafka, HTTP, log
void AddViewSettings(std::vector<Setting>& all);

// Of more than one part.
SettingType<std::optional<HttpConfig::Address>> ListenAddress();
bool IsLoopback(std::string_view host);
// Reads view.tokens_file, and says what view's settings contradict.
void CompleteView(std::string_view config_name, Config& config, ConfigProblems& problems);

}  // namespace portrait
