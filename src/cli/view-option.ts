/** The option that chooses whose view is shown. */

import { Option } from 'commander'

export function viewOption(): Option {
  return new Option(
    '--view <whose>',
    "whose view: the running gateway's, or this shell's own (default: the gateway's where one runs)",
  ).choices(['gateway', 'own'])
}
