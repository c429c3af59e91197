// The part of the API that lists who has a tag.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"
#include "view/answers.h"
#include "view/api.h"
#include "view/holder_list.h"

namespace portrait::view {

namespace {

void TakeList(const OtherAnswer& answer, std::vector<HolderList>& lists) {
  auto list = ReadHolderList(answer.body);
  if (list.ok()) return lists.push_back(*std::move(list));
  LogWarning("another process of the pipeline did not tell who has a tag",
             {{"instance", answer.instance}, {"reason", std::string(list.status().message())}});
}

}  // namespace

struct Api::HolderCall {
  CallPtr call;
  std::string tag;
  TagSort sort = TagSort::kSince;
  size_t limit = 50;
  std::vector<HolderList> lists;  // that have come
};

void Api::Holders(const CallPtr& call) {
  if (absl::Status s = CheckParameters(call->target, {"tag", "sort", "limit", "after"}); !s.ok()) {
    return call->respond(BadParameter(std::string(s.message())));
  }
  auto asked = std::make_shared<HolderCall>();
  asked->call = call;
  asked->tag = std::string(Parameter(call->target, "tag"));
  if (asked->tag.empty()) return call->respond(BadParameter("tag: must be given"));
  const std::string_view sort = Parameter(call->target, "sort");
  if (!sort.empty() && sort != "since" && sort != "value_at_risk") {
    return call->respond(BadParameter("sort: must be since or value_at_risk"));
  }
  if (sort == "value_at_risk") asked->sort = TagSort::kValueAtRisk;
  if (!ReadLimit(call->target, asked->limit)) return call->respond(BadParameter(kLimitText));
  const bool known = !portraits_.About(asked->tag).empty() || tags_.counts().customers.contains(asked->tag);
  const std::string after(Parameter(call->target, "after"));
  tags_.List(asked->tag, asked->sort, after, asked->limit, [this, asked, known](auto found) {
    thread_.Run([this, asked, known, found = std::move(found)] {
      if (absl::IsInvalidArgument(found.page.status())) {
        return asked->call->respond(BadParameter("after: must be the `next` of the page before"));
      }
      if (!found.page.ok()) {
        return asked->call->respond(
            ErrorResponse(503, "unavailable", "the index of tags cannot be used; the log says why"));
      }
      HolderList& list = asked->lists.emplace_back();
      list.known = known;
      list.total = found.total;
      list.partitions.insert(found.partitions.begin(), found.partitions.end());
      list.more = found.page->more;
      for (const TagHolder& holder : found.page->holders) list.holders.push_back({holder.place, HolderJson(holder)});
      AskOthers(asked->call, [this, asked](const std::vector<OtherAnswer>& answers) {
        for (const OtherAnswer& answer : answers) TakeList(answer, asked->lists);
        Merge(asked);
      });
    });
  });
}

void Api::Merge(const std::shared_ptr<HolderCall>& asked) {
  const HolderList all = Merged(std::move(asked->lists), asked->limit);
  // Whoever asks for its own list needs to know what was counted.
  if (!all.known && !asked->call->request.forwarded) {
    return asked->call->respond(ErrorResponse(404, "unknown_tag", "no rule gives such a tag, and nobody has it"));
  }
  asked->call->respond(Ok(ToJson(asked->tag, asked->sort, all, source_.partitions)));
}

}  // namespace portrait::view
