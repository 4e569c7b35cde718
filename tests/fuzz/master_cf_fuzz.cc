// master.cf: what we print of a service we read back, and edits of any kind neither crash nor lose comments.
#include <algorithm>

#include "libconf/master_cf_document.h"
#include "tests/fuzz/property.h"

using libconf::DiagnosticDiscard;
using libconf::MasterCf;
using libconf::MasterCfChange;
using libconf::MasterCfDocument;
using libconf::MasterService;

namespace {

void check_service(const MasterService& service) {
  DiagnosticDiscard discard;
  const std::string text = service.text();
  const auto again = MasterService::parse(text, discard);
  // Like Postfix we print the first argument that is no option without braces, and an empty one as nothing.
  const auto& arguments = service.arguments();
  const bool is_odd = std::any_of(arguments.begin(), arguments.end(),
                                  [](const auto& a) { return a.empty() || libconf::has_blank(a); });
  if (is_odd || text.find_first_of("{}") != std::string::npos) return;
  require(bool(again), "a printed service can be read");
  require(again->text() == text, "a printed service reads as itself");
  const auto folded = MasterService::parse(service.columns(true), discard);
  require(folded && folded->text() == text, "a folded service reads as itself");
}

std::size_t count_comments(const MasterCfDocument& document) {
  const auto& lines = document.lines().physical();
  return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const libconf::Line& line) {
    return line.kind == libconf::LineKind::kComment;
  }));
}

void check_edits(const MasterCfDocument& document, const std::string& file_text) {
  DiagnosticDiscard discard;
  MasterCfChange change{.kind = MasterCfChange::Kind::kSetParameter, .service = "*", .type = "*"};
  change.name = "myorigin";
  change.value = "x";
  for (auto kind : {MasterCfChange::Kind::kSetParameter, MasterCfChange::Kind::kRemoveParameter,
                    MasterCfChange::Kind::kRemoveEntry, MasterCfChange::Kind::kCommentOutEntry}) {
    change.kind = kind;
    const auto changed = libconf::apply({change}, document, discard);
    if (!changed) continue;
    const MasterCfDocument after = MasterCfDocument::parse(*changed, "master.cf");
    require(count_comments(after) >= count_comments(document), "comments stay");
    if (kind == MasterCfChange::Kind::kRemoveEntry)
      for (const libconf::LogicalLine& line : after.lines().logical())
        require(line.is_orphan, "no entry is left");
  }
  const auto unchanged = libconf::apply({}, document, discard);
  require(!unchanged || *unchanged == file_text, "no change, no difference");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text(data, size));
  DiagnosticDiscard discard;
  const auto master_cf = MasterCf::read(MasterCfDocument::parse(text, "master.cf"), discard);
  if (master_cf)
    for (const libconf::PlacedService& service : master_cf->services()) check_service(service.service);
  check_edits(MasterCfDocument::parse(text, "master.cf"), text);
  return 0;
}
