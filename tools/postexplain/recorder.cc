#include "tools/postexplain/recorder.h"

#include <algorithm>

#include "libconf/text.h"
#include "tools/postexplain/table_place.h"

namespace postexplain {

using libconf::concat;

void Recorder::begin(std::string_view kind, std::string text, Facts facts) {
  open_.push_back({.kind = std::string(kind), .text = std::move(text), .facts = std::move(facts)});
}

void Recorder::end() {
  TraceNode node = std::move(open_.back());
  open_.pop_back();
  (open_.empty() ? done_ : open_.back().steps).push_back(std::move(node));
}

void Recorder::add(TraceNode node) {
  std::vector<TraceNode>& steps = open_.empty() ? done_ : open_.back().steps;
  steps.push_back(std::move(node));
}

void Recorder::add_once(TraceNode node) {
  const std::vector<TraceNode>& steps = open_.empty() ? done_ : open_.back().steps;
  // Far enough back for what asks the same again; a long message has many more.
  constexpr std::ptrdiff_t kLooksBack = 64;
  const auto first = steps.end() - std::min<std::ptrdiff_t>(kLooksBack, std::ssize(steps));
  const bool is_known = std::any_of(first, steps.end(), [&](const TraceNode& each) {
    return each.kind == node.kind && each.text == node.text;
  });
  if (!is_known) add(std::move(node));
}

void Recorder::say(std::string_view text, Facts facts) {
  TraceNode& node = open_.back();
  node.text += text;
  node.facts.insert(node.facts.end(), std::make_move_iterator(facts.begin()),
                    std::make_move_iterator(facts.end()));
}

std::vector<TraceNode> Recorder::take() {
  open_.clear();
  has_list_ = false;
  return std::exchange(done_, {});
}

void Recorder::begin_list(const mta::TracedList& list) {
  end_list();
  has_list_ = true;
  const auto setting = settings_.find(list.parameter);
  const std::string origin = setting ? libconf::to_string(setting->origin) : "";
  begin("list", concat(list.parameter, " (", origin, ")", list.is_empty ? ": empty" : ""),
        {{"parameter", std::string(list.parameter)}, {"origin", origin}});
  open_.back().is_detail = list.is_empty;
}

void Recorder::end_list() {
  if (std::exchange(has_list_, false)) end();
}

void Recorder::end_stage() {
  TraceNode& stage = open_.back();
  stage.is_detail = std::all_of(stage.steps.begin(), stage.steps.end(),
                                [](const TraceNode& each) { return each.is_detail; });
  end();
}

void Recorder::begin_restriction(const mta::TraceStep& step) {
  begin("restriction", concat(step.warns_only ? "warn_if_reject " : "", step.restriction));
}

void Recorder::end_restriction(const mta::TraceStep& step) {
  const std::string result(mta::step_result_name(step.result));
  say(concat(": ", result, step.reply.empty() ? "" : ", ", step.reply), {{"restriction", step.restriction},
                                                                         {"list", step.list},
                                                                         {"result", result},
                                                                         {"table", step.table},
                                                                         {"key", step.key},
                                                                         {"value", step.value},
                                                                         {"reply", step.reply}});
  end();
}

void Recorder::deferred(std::string_view reply) {
  end_list();
  add({.kind = "deferred",
       .text = concat("nothing refused it, so that what was put off counts now: ", reply),
       .facts = {{"reply", std::string(reply)}}});
}

std::string Recorder::open_as(std::string_view table) {
  std::optional<std::string> source = missing_indexes_.source_of(table);
  if (!source) return std::string(table);
  add_once({.kind = "source",
            .text = concat(table, " has no index: its source is read"),
            .facts = {{"table", std::string(table)}}});
  return std::move(*source);
}

void Recorder::looked_up(std::string_view table, std::string_view key,
                         const libconf::Result<std::optional<std::string>>& value) {
  TraceNode node{.kind = "lookup",
                 .text = concat(table, " \"", key, "\""),
                 .facts = {{"table", std::string(table)}, {"key", std::string(key)}}};
  if (!value) {
    const std::string& reason = value.error().message;
    node.text += concat(": lookup error", reason.empty() ? "" : ", ", reason);
    node.facts.emplace_back("error", reason.empty() ? "lookup error" : reason);
  } else if (*value) {
    const auto [known, is_new] = places_.try_emplace(concat(table, "\n", key, "\n", **value));
    if (is_new) known->second = table_place(table, key, **value, settings_);
    const std::string& place = known->second;
    node.text += concat(" = \"", **value, "\"",
                        place.empty()            ? ""
                        : place.starts_with('(') ? " "
                                                 : " at ",
                        place);
    node.facts.emplace_back("value", **value);
    node.facts.emplace_back("place", place);
  } else if (!open_.empty() && open_.back().kind == "content") {
    return;  // Each line of a message is asked for, and most match nothing.
  } else {
    node.text += ": not there";
    node.is_detail = true;
  }
  add_once(std::move(node));
}

void Recorder::report(libconf::Diagnostic diagnostic) {
  add_once({.kind = "warning",
            .text = concat("warning: ", diagnostic.message),
            .facts = {{"message", diagnostic.message}}});
}

}  // namespace postexplain
