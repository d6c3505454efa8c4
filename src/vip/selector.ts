import { UserError } from '../errors.ts'

/** As in a pod's node affinity. */
export interface NodeRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: string[]
}

/** kubectl's label selectors as node affinity: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`. Throws `UserError`. Pure. */
export function parseSelector(text: string): NodeRequirement[] {
  // Commas inside parentheses belong to their list.
  const parts = text.split(/,(?![^(]*\))/).map(part => part.trim())
  return parts.map(part => {
    const found = requirement(part)
    if (found) return found
    throw new UserError(`invalid argument "${text}" for "--nodes" flag: "${part}" is no label selector`, {
      hint: '--nodes node-role.kubernetes.io/control-plane, or --nodes "pool in (a,b)"',
    })
  })
}

const label = '[A-Za-z0-9](?:[\\w.-]*[A-Za-z0-9])?(?:/[A-Za-z0-9](?:[\\w.-]*[A-Za-z0-9])?)?'
const forms = {
  set: new RegExp(`^(${label})\\s+(in|notin)\\s+\\(([^()]*)\\)$`),
  equal: new RegExp(`^(${label})\\s*(==|=|!=)\\s*([\\w.-]*)$`),
  exists: new RegExp(`^(!?)\\s*(${label})$`),
}

function requirement(part: string): NodeRequirement | undefined {
  const [, setKey, verb, list = ''] = forms.set.exec(part) ?? []
  if (setKey !== undefined) {
    const values = list.split(',').map(value => value.trim())
    return { key: setKey, operator: verb === 'in' ? 'In' : 'NotIn', values }
  }
  const [, key, sign, value = ''] = forms.equal.exec(part) ?? []
  if (key !== undefined) return { key, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] }
  const [, not, existing] = forms.exists.exec(part) ?? []
  return existing === undefined ? undefined : { key: existing, operator: not ? 'DoesNotExist' : 'Exists' }
}
