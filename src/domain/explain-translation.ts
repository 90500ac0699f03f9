/** Why a request or a reply could not be put into another protocol, in a user's words. */

import type { Explanation } from './explanation.ts'
import type { TranslationFault } from './fault.ts'
import { printable } from './printable.ts'

export function explainTranslation(fault: TranslationFault): Explanation {
  switch (fault.code) {
    case 'EQ_REQUEST_UNCARRIED':
      return {
        message: `${printable(fault.field)} cannot be carried to a model that speaks ${fault.protocol}`,
        hint: 'Leave it out, or choose a model that speaks the protocol of this request; docs/translation.md lists what is carried',
        exit: 64,
        http: 400,
      }
    case 'EQ_UPSTREAM_UNREADABLE':
      return {
        message: `The reply of ${fault.model} by ${fault.profile} cannot be understood: it ${fault.problem}`,
        hint: 'Send the request again, or choose another model',
        exit: 69,
        http: 502,
      }
    default:
      return fault satisfies never
  }
}
