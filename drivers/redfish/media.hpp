// Virtual media: slots below the System or the managers, InsertMedia and EjectMedia or
// PATCH, and whatever parameters this BMC wants.
//
// What a slot shows as inserted is not believed: a slot is emptied before it is filled,
// and the image that it shows afterwards decides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "core/ports/bmc_manage.hpp"
#include "drivers/redfish/error_body.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

/// A VirtualMedia resource (DSP2046).
struct MediaResource {
  MediaSlot slot;
  std::string link, etag;
  std::string insert, eject;           // targets of the actions; empty: there is none
  std::vector<std::string> protocols;  // that InsertMedia takes; empty: not said
};
MediaResource read_media(const base::Json& json);

/// Thread rule: as Machine, which must outlive this.
class MediaControl final : public BmcMedia {
 public:
  explicit MediaControl(Machine& machine) : machine_(machine) {}
  Result<std::vector<MediaSlot>> slots(const Call& call) override;
  Result<WriteOutcome> insert_cd(const std::string& url, const Call& call) override;
  Result<WriteOutcome> eject_cd(const Call& call) override;

 private:
  enum class Step : std::uint8_t { Done, NextSlot, Unknown };

  Result<std::vector<MediaResource>> read_slots(const Call& call);
  Result<MediaResource> read_slot(const std::string& link, const Call& call);
  Result<Step> insert(const MediaResource& slot, const std::string& url, const Call& call);
  Result<Step> insert_by_action(const MediaResource& slot, const std::string& url, const Call& call);
  Result<Step> eject(const MediaResource& slot, const Call& call);
  Result<Step> eject_by_action(const MediaResource& slot, const Call& call);
  Result<Step> patch(const MediaResource& slot, const base::Json& body, const Call& call);
  Result<Step> step_of(const base::ClientResponse& response, std::string_view doing, const Call& call);
  base::Json insert_body(const std::string& url) const;
  /// Whether the refusal names a parameter that can be added; it is learnt.
  bool learn_parameter(const ErrorBody& body);

  Machine& machine_;
  Error refusal_;  // why the last slot did not do
};

}  // namespace nimbus::redfish
