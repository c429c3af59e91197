#include "pipeline/config/settings.h"

namespace portrait {

const std::vector<Setting>& Settings() {
  static const std::vector<Setting>* const all = [] {
    auto* list = new std::vector<Setting>();
    AddEngineSettings(*list);
    AddServiceSettings(*list);
    AddViewSettings(*list);
    AddChainSettings(*list);
    return list;
  }();
  return *all;
}

}  // namespace portrait
