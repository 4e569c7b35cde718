/// The lines that delivery puts before a message (local(8), virtual(8), pipe(8)), and what it looks for
/// there.
///
///     std::string head = mailbox_separator(sender, time(nullptr)) + return_path(sender);
///     // From ann@example.org  Sun Nov 29 11:02:28 2026
///     // Return-Path: <ann@example.org>
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "libconf/result.h"

namespace mta {

// Addresses are in internal form, but for those of the first two functions, which are in external form: what
// stands for the null sender differs. Lines end with "\n".

/// The From_ line of an mbox, with a local time. An empty sender is MAILER-DAEMON.
std::string mailbox_separator(std::string_view sender, std::time_t time);
/// Return-Path:
std::string return_path(std::string_view sender);
/// X-Original-To:; empty when there is no address.
std::string original_to(std::string_view recipient);
/// Delivered-To:
std::string delivered_to(std::string_view recipient);

/// What of a queue file delivery needs.
struct MessageStart {
  std::uint64_t content_offset = 0;       ///< For read_content().
  std::vector<std::string> delivered_to;  ///< The values of its Delivered-To: headers, in external form.

  /// Whether the message has been there before. `recipient` is in internal form.
  bool was_delivered_to(std::string_view recipient) const;
};

/// Reads the envelope and the headers. Errors: as QueueFileReader::next().
libconf::Result<MessageStart> read_message_start(int message, const std::string& queue_id);

}  // namespace mta
