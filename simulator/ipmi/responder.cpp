#include "simulator/ipmi/responder.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "simulator/ipmi/commands.hpp"

namespace nimbus::simulator::ipmi {
namespace {

constexpr std::uint8_t kBmcAddress = 0x20;
constexpr auto kRepeatWindow = std::chrono::seconds(3);
constexpr auto kHurry = std::chrono::milliseconds(20);
constexpr std::uint8_t kResponseBit = 0x01;
constexpr std::size_t kLengthAt = 14;  // of an RMCP+ packet outside a session: the payload's length

std::string hex(Bytes bytes) {
  std::string out;
  for (const auto byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace

const Command* find_command(std::uint8_t net_fn, std::uint8_t number) noexcept {
  for (const auto table : {application_commands(), chassis_commands(), sensor_commands(), storage_commands(),
                           transport_commands(), account_commands()}) {
    for (const auto& command : table) {
      if (command.net_fn == net_fn && command.number == number) return &command;
    }
  }
  return nullptr;
}

void Responder::deliver(const base::SocketAddress& to, Bytes datagram, const Send& send) {
  send(to, datagram);
  if (machine_->quirks.has(Quirk::DuplicatesReplies)) send(to, datagram);
}

void Responder::receive(Bytes datagram, const base::SocketAddress& from, const Send& send) {
  if (!machine_->bmc_up()) return;
  if (restarts_ != machine_->bmc_restarts()) {
    restarts_ = machine_->bmc_restarts();
    sessions_.clear();
  }
  auto frame = parse_frame(datagram);
  if (!frame) return;
  if (frame->kind == Frame::Kind::AsfPing) {
    deliver(from, build_pong(frame->asf_tag), send);
    return;
  }
  if (frame->kind == Frame::Kind::RmcpPlus && frame->session != 0) {
    receive_in_session(*frame, from, send);
    return;
  }
  if (frame->session != 0 || frame->encrypted || frame->authenticated) return;  // IPMI 1.5 sessions are not offered
  const auto answer = [&](Payload type, const Buffer& payload) {
    if (payload.empty()) return;
    Buffer packet = build_rmcp_plus(type, payload);
    if (type == Payload::Rakp2 && machine_->quirks.has(Quirk::Rakp2LengthTooLarge)) ++packet[kLengthAt];
    deliver(from, packet, send);
  };
  switch (frame->payload_type) {
    case Payload::Ipmi:
      if (const auto message = parse_message(frame->payload)) {
        receive_message(*message, nullptr, from, frame->payload, frame->kind == Frame::Kind::RmcpPlus, send);
      }
      return;
    case Payload::OpenSessionRequest:
      return answer(Payload::OpenSessionResponse, open_session(frame->payload, from));
    case Payload::Rakp1:
      return answer(Payload::Rakp2, rakp1(frame->payload));
    case Payload::Rakp3:
      return answer(Payload::Rakp4, rakp3(frame->payload));
    case Payload::Sol:
    case Payload::OpenSessionResponse:
    case Payload::Rakp2:
    case Payload::Rakp4:
      return;
  }
}

void Responder::receive_in_session(Frame& frame, const base::SocketAddress& from, const Send& send) {
  sessions_.expire(machine_->now());
  Session* session = sessions_.find(frame.session);
  if (session == nullptr || session->stage != Session::Stage::Active) return;
  // Suites 3 and 17 sign and encrypt everything.
  if (!frame.authenticated || !frame.encrypted || !split_code(frame, session->suite->code_size)) return;
  if (!session->keys->check(frame.covered, frame.code)) return;
  if (!session->received.accept(frame.sequence)) return;
  const auto plain = session->keys->decrypt(frame.payload);
  if (!plain) return;
  session->last_used = machine_->now();
  session->peer = from;
  if (frame.payload_type == Payload::Sol) {
    receive_sol(*session, *plain, send);
  } else if (frame.payload_type == Payload::Ipmi) {
    if (const auto message = parse_message(*plain)) receive_message(*message, session, from, *plain, true, send);
  }
}

std::uint8_t Responder::execute(const Message& message, Exchange& exchange) {
  const Command* command = find_command(message.net_fn, message.command);
  const bool in_session = exchange.session != nullptr;
  const Privilege privilege = in_session ? exchange.session->privilege : Privilege::None;
  const bool hurried =
      in_session && machine_->quirks.has(Quirk::BusyWhenHurried) && machine_->now() - last_command_ < kHurry;
  last_command_ = machine_->now();
  if (command == nullptr) return in_session ? kInvalidCommand : kInsufficientPrivilege;
  if (command->least > privilege) return kInsufficientPrivilege;
  if (hurried) return kNodeBusy;
  if (message.data.size() < command->least_size) return kLengthInvalid;
  const bool setup = message.net_fn == 0x06;  // sessions themselves go on working
  if (in_session && !setup && interference_.completion_code) return *interference_.completion_code;
  if (interference_.lie && command->effect == Effect::Writes) return kOk;
  if (!interference_.stale || setup || command->effect == Effect::Writes) return command->handler(exchange);
  Buffer key{message.net_fn, message.command};
  key.insert(key.end(), message.data.begin(), message.data.end());
  const auto known = stale_.find(key);
  if (known != stale_.end()) {
    exchange.reply = known->second.data;
    return known->second.code;
  }
  const std::uint8_t code = command->handler(exchange);
  constexpr std::size_t kMostStale = 1000;
  if (stale_.size() < kMostStale) stale_[key] = {code, exchange.reply};
  return code;
}

void Responder::receive_message(const Message& message, Session* session, const base::SocketAddress& from, Bytes raw,
                                bool rmcp_plus, const Send& send) {
  if (message.responder != kBmcAddress || (message.net_fn & kResponseBit) != 0) return;
  const std::uint32_t id = session == nullptr ? 0 : session->handshake.bmc_session;
  const auto answer = [&](Bytes reply) {
    if (id != 0) {
      // Close Session ends it before its own answer: the keys must outlive the command.
      if (Session* alive = sessions_.find(id)) send_in_session(*alive, Payload::Ipmi, reply, send);
    } else {
      deliver(from, rmcp_plus ? build_rmcp_plus(Payload::Ipmi, reply) : build_ipmi15(reply), send);
    }
  };
  if (session != nullptr && session->last_write && machine_->now() - session->last_write->at < kRepeatWindow &&
      std::ranges::equal(session->last_write->request, raw)) {
    answer(session->last_write->reply);
    return;
  }
  const Command* command = find_command(message.net_fn, message.command);
  Exchange exchange{*machine_, *this, session, message.data, {}};
  const std::uint8_t code = execute(message, exchange);
  const std::string name =
      command == nullptr ? fmt::format("{:02x}/{:02x}", message.net_fn, message.command) : command->name;
  if (session != nullptr || command == nullptr) {
    // Passwords travel in Set User Password only: its data stay out of the journal.
    const bool secret = command != nullptr && command->net_fn == 0x06 && command->number == 0x47;
    machine_->record(Source::Ipmi, name,
                     secret ? std::string() : hex(message.data.first(std::min<std::size_t>(message.data.size(), 16))),
                     code == kOk ? "ok" : fmt::format("{:#04x}", code));
  }
  if (exchange.silent) return;
  Buffer reply = build_reply(message, code, code == kOk || !exchange.reply.empty() ? Bytes(exchange.reply) : Bytes());
  if (machine_->quirks.has(Quirk::WrongChecksums)) ++reply.back();
  answer(reply);
  if (Session* alive = id == 0 ? nullptr : sessions_.find(id)) {
    if (command != nullptr && command->effect == Effect::Writes) {
      alive->last_write = Session::LastWrite{machine_->now(), Buffer(raw.begin(), raw.end()), std::move(reply)};
    }
    if (command != nullptr && command->net_fn == 0x06 && command->number == 0x3c && code == kOk) {
      sessions_.close(get32(message.data, 0));
    }
  }
}

void Responder::send_in_session(Session& session, Payload type, Bytes payload, const Send& send) {
  if (++session.sequence == 0) session.sequence = 1;
  Buffer packet = build_session_packet(type, true, true, session.handshake.console_session, session.sequence,
                                       session.keys->encrypt(payload));
  session.keys->sign(packet);
  deliver(session.peer, packet, send);
}

}  // namespace nimbus::simulator::ipmi
