/// A name server on a loopback port, over UDP, with the answers of a ScriptedResolver (RFC 1035).
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "libmaps/ip_address.h"
#include "tools/mta/dns/scripted_resolver.h"

namespace mta {

class DnsResponder {
 public:
  DnsResponder(asio::io_context& context, ScriptedResolver answers)
      : answers_(std::move(answers)), socket_(context, {asio::ip::address_v4::loopback(), 0}) {
    receive();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port()); }

  /// From now on whoever asks for it is told that answers are validated.
  void validate() { is_validating_ = true; }

  /// From now on nobody is answered.
  void fall_silent() { is_silent_ = true; }
  void close() { socket_.close(); }

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(query_), client_,
                               [this](asio::error_code error, std::size_t size) {
                                 if (error) return;
                                 if (!is_silent_) {
                                   const std::string reply = answer({query_.data(), size});
                                   socket_.send_to(asio::buffer(reply), client_);
                                 }
                                 receive();
                               });
  }

  static void put(std::string& out, unsigned value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value);
  }
  static std::string name(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const std::string_view label = text.substr(0, text.find('.'));
      out += static_cast<char>(label.size());
      out += label;
      text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    return out + '\0';
  }
  static std::string data(DnsType type, const DnsRecord& record) {
    std::string out;
    if (type == DnsType::kA) {
      const auto address = libmaps::parse_ipv4(record.data);
      put(out, address->bits >> 16);
      put(out, address->bits & 0xFFFF);
    } else if (type == DnsType::kAaaa) {
      const auto address = libmaps::parse_ipv6(record.data);
      for (const std::uint64_t half : {address->high, address->low})
        for (int shift = 48; shift >= 0; shift -= 16) put(out, half >> shift & 0xFFFF);
    } else if (type == DnsType::kTxt) {
      out += static_cast<char>(record.data.size());
      out += record.data;
    } else {
      if (type == DnsType::kMx) put(out, static_cast<unsigned>(record.preference));
      out += name(record.data);
      if (type == DnsType::kSoa) out += name("hostmaster.example") + std::string(20, '\1');
    }
    return out;
  }

  std::string answer(std::string_view query) const {
    std::string asked;
    std::size_t at = 12;
    while (query[at] != 0) {
      const auto length = static_cast<std::size_t>(query[at]);
      asked += (asked.empty() ? "" : ".") + std::string(query.substr(at + 1, length));
      at += 1 + length;
    }
    const unsigned number =
        static_cast<unsigned char>(query[at + 1]) << 8 | static_cast<unsigned char>(query[at + 2]);
    constexpr std::array<unsigned, 8> kNumbers = {1, 28, 15, 2, 12, 6, 16, 52};
    std::size_t index = 0;
    while (kNumbers[index] != number) ++index;
    const DnsAnswer found = answers_.answer(asked, static_cast<DnsType>(index));
    constexpr std::array<unsigned, 4> kCodes = {0, 0, 3, 2};
    std::string out(query.substr(0, 2));
    const bool is_asked = (static_cast<unsigned char>(query[3]) & 0x20) != 0;
    put(out,
        0x8180 | (is_asked && is_validating_ ? 0x20 : 0) | kCodes[static_cast<std::size_t>(found.status)]);
    put(out, 1);
    put(out, static_cast<unsigned>(found.records.size()));
    put(out, 0);
    put(out, 0);
    out += query.substr(12, at + 5 - 12);
    for (const DnsRecord& record : found.records) {
      const std::string bytes = data(static_cast<DnsType>(index), record);
      put(out, 0xC00C);  // The name of the question.
      put(out, number);
      put(out, 1);
      put(out, 0);
      put(out, 60);
      put(out, static_cast<unsigned>(bytes.size()));
      out += bytes;
    }
    return out;
  }

  ScriptedResolver answers_;
  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint client_;
  std::array<char, 512> query_;
  bool is_silent_ = false;
  bool is_validating_ = false;
};

}  // namespace mta
