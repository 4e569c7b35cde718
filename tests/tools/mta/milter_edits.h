/// What a filter does to a message, as text: a line for each call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/mta/content/milter_session.h"

namespace mta {

/// "add X-A: v", "insert 1 X-A: v", "change 1 X-A: v", "delete 1 X-A", "+<a@b> NOTIFY=NEVER", "-<a@b>",
/// "from <a@b>", "body text", "hold reason".
class MilterEditRecorder final : public MilterEdits {
 public:
  void add_header(std::string_view name, std::string_view value) override { add("add ", name, ":", value); }
  void insert_header(std::uint32_t index, std::string_view name, std::string_view value) override {
    add("insert ", std::to_string(index), " ", name, ":", value);
  }
  void change_header(std::uint32_t index, std::string_view name, std::string_view value) override {
    add("change ", std::to_string(index), " ", name, ":", value);
  }
  void delete_header(std::uint32_t index, std::string_view name) override {
    add("delete ", std::to_string(index), " ", name);
  }
  void add_recipient(std::string_view address, std::span<const std::string> parameters) override {
    add("+", address, joined(parameters));
  }
  void delete_recipient(std::string_view address) override { add("-", address); }
  void change_sender(std::string_view address, std::span<const std::string> parameters) override {
    add("from ", address, joined(parameters));
  }
  void replace_body(std::string_view piece) override { add("body ", piece); }
  void hold(std::string_view reason) override { add("hold ", reason); }

  std::vector<std::string> edits;

 private:
  static std::string joined(std::span<const std::string> words) {
    std::string out;
    for (const std::string& word : words) out += " " + word;
    return out;
  }
  template <class... Parts>
  void add(const Parts&... parts) {
    edits.emplace_back();
    (edits.back().append(std::string_view(parts)), ...);
  }
};

}  // namespace mta
