#include "tools/mta/access/verdict.h"

namespace mta {

void MessageActions::add(const MessageActions& later) {
  hold = hold || later.hold;
  discard = discard || later.discard;
  if (later.filter) filter = later.filter;
  if (later.redirect) redirect = later.redirect;
  bcc.insert(bcc.end(), later.bcc.begin(), later.bcc.end());
  prepend.insert(prepend.end(), later.prepend.begin(), later.prepend.end());
}

}  // namespace mta
