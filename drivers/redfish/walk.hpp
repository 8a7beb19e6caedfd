// Walk: many documents of one BMC in one go, within limits: time, number of documents,
// pages of a list, and no link twice. What is missing or broken is left out; trouble
// with the BMC itself ends the walk.
//
// Lists are read as they come: expanded where the BMC can ("$expand", DSP0266 7.3), in
// pages ("Members@odata.nextLink", 7.3.3), members one by one where they are links only.
// Thread rule: as Machine.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "drivers/redfish/machine.hpp"

namespace nimbus::redfish {

struct WalkLimits {
  std::size_t documents = 1'500;
  std::size_t members = 512;  // of one list
  std::size_t pages = 64;     // of one list
};

class Walk {
 public:
  /// `machine` and `call` must outlive the walk.
  Walk(Machine& machine, const Call& call, WalkLimits limits = {});

  /// A document; nothing if it is not there, broken, read in this walk before, or the
  /// walk has ended. "" is a link to nothing.
  std::optional<base::Json> get(const std::string& link);
  /// The members of the list at `link`, each as a document; nothing if the list itself
  /// could not be read.
  std::optional<std::vector<base::Json>> members(const std::string& link);
  /// The documents behind these links.
  std::vector<base::Json> all(const std::vector<std::string>& links);

  /// Why the walk ended early; nothing: it did not.
  const std::optional<Error>& trouble() const noexcept { return trouble_; }
  /// How many documents were read.
  std::size_t read() const noexcept { return read_; }

 private:
  std::optional<base::Json> fetch(const std::string& target);
  bool take_page(const base::Json& page, std::vector<base::Json>& out);

  Machine& machine_;
  const Call& call_;
  const WalkLimits limits_;
  bool expands_ = false;
  std::set<std::string> seen_;
  std::size_t read_ = 0;
  std::size_t denied_ = 0;
  std::optional<Error> trouble_;
};

}  // namespace nimbus::redfish
