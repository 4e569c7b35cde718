/// The filters' look at a whole message, and what they change in it (MILTER_README; cleanup(8)).
///
///     MilterInspection inspection(message, staged, inspector);
///     InspectionResult result = co_await inspection.run(filters);
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libconf/result.h"
#include "tools/mta/content/cleanup_sink.h"
#include "tools/mta/content/content_checks.h"
#include "tools/mta/content/milter_client.h"
#include "tools/mta/content/staged_message.h"
#include "tools/mta/smtp/message_recipients.h"

namespace mta {

/// The envelope of a message, as filters may change it.
struct FilteredEnvelope {
  std::string& sender;           ///< In internal form.
  std::string& external_sender;  ///< What context.sender is a view of.
  MessageRecipients& recipients;
  AddressServices& addresses;
  RewriteContext context;
  int& return_flags;
  std::string& envelope_id;
};

/// One message. Not thread-safe; all references must outlive the object. Holds, discards, refusals and lines
/// of the log go to the sink, as those of Cleanup do.
class MilterInspection final : private MilterEdits {
 public:
  MilterInspection(StagedMessage& message, FilteredEnvelope envelope, ContentChecks& checks,
                   MessageContext& context, CleanupSink& sink, bool is_held);

  /// Asks one filter after the other, each about the message as those before have left it. Errors: those of
  /// tables, for addresses that filters bring.
  asio::awaitable<libconf::Result<void>> run(MilterChain& filters);

 private:
  void add_header(std::string_view name, std::string_view value) override;
  void insert_header(std::uint32_t index, std::string_view name, std::string_view value) override;
  void change_header(std::uint32_t index, std::string_view name, std::string_view value) override;
  void delete_header(std::uint32_t index, std::string_view name) override;
  void add_recipient(std::string_view address, std::span<const std::string> parameters) override;
  void delete_recipient(std::string_view address) override;
  void change_sender(std::string_view address, std::span<const std::string> parameters) override;
  void replace_body(std::string_view piece) override;
  void hold(std::string_view reason) override;

  /// The header as milter_header_checks leave it; nothing: it is not to be.
  std::optional<std::string> checked_header(std::string_view name, std::string_view value);
  /// The one address in what a filter gave; empty: none.
  std::string address_in(std::string_view text);
  bool settle(const MilterVerdict& verdict);
  void log(std::string_view verdict, std::string_view text);
  void end_replaced_body();

  StagedMessage& message_;
  FilteredEnvelope envelope_;
  MessageContext& context_;
  CleanupSink& sink_;
  ContentInspection inspection_;
  bool is_held_;
  bool is_body_replaced_ = false;
  bool ends_with_return_ = false;  ///< A piece of the new body ended between \r and \n.
  bool ends_line_ = true;          ///< The new body, so far.
  bool is_decided_ = false;
  std::optional<libconf::Error> error_;
};

/// A reply of a filter, "554 5.7.1 no", or several such lines with \r\n between them, in its parts.
Rejection rejection_of(std::string_view reply);

}  // namespace mta
