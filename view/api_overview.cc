// The part of the API that tells how the pipeline does.
#include <utility>
#include <vector>

#include "pipeline/log.h"
#include "view/answers.h"
#include "view/api.h"
#include "view/overview_merge.h"

namespace portrait::view {

void Api::ShowOverview(const CallPtr& call) {
  if (absl::Status s = CheckParameters(call->target, {"scope"}); !s.ok()) {
    return call->respond(BadParameter(std::string(s.message())));
  }
  const std::string_view scope = Parameter(call->target, "scope");
  if (!scope.empty() && scope != "pipeline" && scope != "instance") {
    return call->respond(BadParameter("scope: must be pipeline or instance"));
  }
  const auto show = [this, call](const std::vector<OtherAnswer>& answers) {
    const std::vector<int32_t> here = PartitionsHere();
    auto members = group_ ? group_->Processes() : std::vector<GroupMap::Process>();
    if (members.empty()) members.push_back({config_.engine.instance_id, here, config_.view.address});
    OverviewMerge merge(overview_.Now(source_.partitions, here, members), Overview::kInterval);
    for (const OtherAnswer& answer : answers) {
      const absl::Status added = merge.Add(answer.body);
      if (added.ok()) continue;
      LogWarning("another process of the pipeline did not tell how it does",
                 {{"instance", answer.instance}, {"reason", std::string(added.message())}});
    }
    call->respond(Ok(std::move(merge).Take()));
  };
  if (scope == "instance") return show({});
  AskOthers(call, show);
}

}  // namespace portrait::view
