// The publisher: what is known of the fleet, as commits on a status branch.
//
// A latest-wins map of documents: however long the forge is down, one commit tells
// the state then. A flush commits only what differs from the branch's tip and pushes
// it with a lease. Whoever else moved the branch is either a controller with a higher
// term (then this one is deposed, for good) or overlaid: status is derived, never
// merged.
//
// Thread rule: put(), remove(), set_controller() and authority() are safe from any
// thread and never wait for the network; take_term(), verify() and flush() exclude each
// other and may be called from any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "controller/machine/guard.hpp"
#include "controller/publisher/branch.hpp"
#include "controller/publisher/story.hpp"
#include "core/ports/clock.hpp"
#include "registry/git/commit_builder.hpp"
#include "registry/git/repository.hpp"
#include "registry/git/transport.hpp"
#include "registry/status/controller_status.hpp"

namespace nimbus::controller {

struct PublisherOptions {
  registry::GitRemote remote;
  std::string branch;      // "refs/heads/nimbus/status/berlin-1"
  std::string repository;  // local bare repository that the transport works on
  std::string controller;  // "berlin-1/ctl-1"
  std::string author_name = "nimbusd";
  std::string author_email = "nimbusd@localhost";
  /// status.toml alone, with no news but other commit ids: at most this often.
  std::chrono::milliseconds heartbeat = std::chrono::minutes(10);
  /// After so many commits the branch begins anew with one that holds all documents
  /// and names its predecessor; 0: never. A forge that refuses that gets a longer branch.
  std::size_t history = 5000;
  /// Asked at each commit, for status.toml: no news by itself. Must not call the publisher.
  std::function<registry::AuditAnchor()> audit = {};
  /// How often one flush starts again after somebody else moved the branch.
  int attempts = 5;
};

/// What was found when the term was taken.
struct TermTaken {
  std::uint64_t term = 0;
  std::optional<registry::ControllerStatus> before;  // nothing: a new branch
  std::map<std::string, std::string> documents;      // path -> text, without status.toml
};

struct Flushed {
  std::optional<registry::ObjectId> commit;  // nothing: there was nothing to tell
  std::size_t documents = 0;
};

class Publisher {
 public:
  /// The local reference that keeps the tip that this controller knows.
  static constexpr const char* kTip = "refs/nimbus/status/tip";
  static constexpr const char* kIncoming = "refs/nimbus/status/incoming";

  /// `signer` may be null; all references must outlive this.
  Publisher(PublisherOptions options, registry::GitTransport& transport, const Clock& clock,
            registry::CommitSigner* signer = nullptr);

  /// Where status goes, if that was not known at the start. Before take_term() only.
  void place(registry::GitRemote remote, std::string branch);

  /// Reads the branch back and pushes a term that is one higher: from then on this
  /// controller may write, until another one does the same. Before its first device
  /// write a controller looks at what was read back. Errors: those of GitTransport and
  /// GitRepository, Invalid (the branch is no status branch), Unsupported (a newer
  /// program wrote it), Conflict (others kept moving it; or deposed before).
  Result<TermTaken> take_term(const Call& call);

  /// Looks at the branch and steps down if it carries a higher term: for when its tip
  /// is seen to be another than tip(). Errors: of GitTransport; then nothing is known.
  Result<> verify(const Call& call);

  /// `text` is the whole document; `event` says in a few words what happened to it
  /// ("power-on"); an empty one leaves what was said since the last flush.
  void put(const std::string& path, std::string text, std::string event = {});
  void remove(const std::string& path, std::string event = {});
  /// Id and term are filled in here.
  void set_controller(registry::ControllerStatus status);

  /// One commit with all that is new, if anything. Errors: as take_term. After an error
  /// everything is kept for the next time; after Conflict look at authority().
  Result<Flushed> flush(const Call& call);

  Authority authority() const;
  /// Of the branch, as last seen or pushed.
  std::optional<registry::ObjectId> tip() const;
  /// The document at `path` as the forge has acknowledged it; nothing: none, or it cannot
  /// be read. Takes part in no exchange.
  std::optional<std::string> acknowledged(const std::string& path) const;
  /// Documents that wait for a flush (some may turn out to be unchanged).
  std::size_t waiting() const;

 private:
  struct Pending {
    std::optional<std::string> text;  // nothing: removed
    std::string event;
    std::uint64_t version = 0;
  };
  using PendingMap = std::map<std::string, Pending>;
  using Index = StatusIndex;

  struct Batch {
    registry::FileChanges changes;
    std::vector<Chapter> chapters;
    registry::ControllerStatus controller;
    std::map<std::string, std::uint64_t> versions;  // of all that was looked at
    bool begins_anew = false;                       // a commit without parents
  };

  Result<Flushed> attempt(const Call& call);
  Result<registry::ObjectId> commit_and_push(registry::GitRepository& repository, Batch& batch, const Call& call);
  Batch collect() const;
  bool is_news(const registry::ControllerStatus& next) const;
  Result<std::optional<registry::ObjectId>> commit(const registry::GitRepository& repository, const Batch& batch) const;
  void published(const registry::ObjectId& commit, const Batch& batch);
  Result<> catch_up(const Call& call);
  Result<std::optional<registry::ObjectId>> fetch_tip(registry::GitRepository& repository, const Call& call);
  Result<> judge(const std::optional<registry::ControllerStatus>& theirs);
  void keep_ours(const registry::GitRepository& repository, Index theirs);
  Result<TermTaken> try_term(const Call& call);
  void depose(std::string why);
  registry::GitPerson author() const;

  PublisherOptions options_;  // changed by place() only, before the first exchange
  registry::GitTransport& transport_;
  const Clock& clock_;
  registry::CommitSigner* const signer_;

  std::mutex flushing_;  // of the members up to the next mutex
  Index index_;          // files of tip_
  std::optional<registry::ControllerStatus> published_controller_;
  MonoTime controller_published_{};
  std::size_t history_ = 0;     // commits of tip_
  bool may_begin_anew_ = true;  // the forge has not refused it yet

  mutable std::mutex mutex_;  // of all below
  std::optional<registry::ObjectId> tip_;
  Authority authority_;
  std::optional<registry::ControllerStatus> controller_;  // nothing: as published
  PendingMap pending_;
  Index acknowledged_;  // as index_, for readers that must not wait for an exchange
  std::uint64_t version_ = 0;
};

}  // namespace nimbus::controller
