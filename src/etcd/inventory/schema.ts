import { suggest } from '../../suggest.ts'

/** The part of JSON Schema that `manifests/etcd/cluster.schema.json` is written in; a keyword that is not here is a bug, and thrown. */
export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  required?: string[]
  /** Fields that another one needs beside it. */
  dependentRequired?: Record<string, string[]>
  properties?: Record<string, Schema>
  additionalProperties?: false
  items?: Schema
  minItems?: number
  uniqueItems?: boolean
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  pattern?: string
  /** As editors know it: what to say of text that does not fit the pattern. */
  patternErrorMessage?: string
  /** Each alternative names the fields that it needs. */
  oneOf?: { required: string[] }[]
}

const annotations = ['$schema', '$defs', 'title', 'description', 'additionalProperties', 'patternErrorMessage']

/** What is wrong with `value`, one line per problem, each with the path of what it speaks of. */
export function problemsOf(root: Schema, value: unknown): string[] {
  return check(root, value, '', root)
}

type Rule = (schema: Schema, value: unknown, path: string, root: Schema) => string[]

function check(schema: Schema, value: unknown, path: string, root: Schema): string[] {
  const wrongType = schema.type === undefined ? [] : rules.type(schema, value, path)
  if (wrongType.length > 0) return wrongType
  return Object.keys(schema).flatMap(keyword => {
    if (annotations.includes(keyword) || keyword === 'type') return []
    const rule = (rules as Record<string, Rule>)[keyword]
    if (!rule) throw new Error(`the schema uses ${keyword}, which nothing checks`)
    return rule(schema, value, path, root)
  })
}

const rules = {
  $ref: ({ $ref = '' }, value, path, root) => check(resolve($ref, root), value, path, root),
  type: ({ type = [] }, value, path) => {
    const types = [type].flat()
    return types.includes(typeOf(value))
      ? []
      : [`${at(path)}: ${shown(value)} is not ${types.map(article).join(' or ')}`]
  },
  const: (schema, value, path) =>
    value === schema.const ? [] : [`${at(path)}: ${shown(value)} is not ${schema.const}`],
  enum: (schema, value, path) =>
    schema.enum?.includes(value) ? [] : [`${at(path)}: ${shown(value)} is none of ${schema.enum?.join(', ')}`],
  required: ({ required = [] }, value, path) =>
    required.filter(field => !present(value, field)).map(field => `${join(path, field)}: missing`),
  dependentRequired: ({ dependentRequired = {} }, value, path) =>
    Object.entries(dependentRequired).flatMap(([field, needed]) =>
      needed
        .filter(other => present(value, field) && !present(value, other))
        .map(other => `${join(path, field)}: needs ${other} beside it`),
    ),
  properties: ({ properties = {}, additionalProperties }, value, path, root) =>
    Object.entries(asMap(value)).flatMap(([field, item]) => {
      const known = Object.hasOwn(properties, field) ? properties[field] : undefined
      if (known) return item === undefined ? [] : check(known, item, join(path, field), root)
      return additionalProperties === false ? [unknownField(join(path, field), field, Object.keys(properties))] : []
    }),
  items: ({ items = {} }, value, path, root) =>
    asList(value).flatMap((item, index) => check(items, item, `${path}[${index}]`, root)),
  minItems: ({ minItems = 0 }, value, path) =>
    asList(value).length >= minItems ? [] : [`${at(path)}: needs at least ${minItems}`],
  uniqueItems: (_, value, path) =>
    asList(value).flatMap((item, index, all) =>
      all.indexOf(item) === index ? [] : [`${path}[${index}]: ${shown(item)} is there twice`],
    ),
  minLength: ({ minLength = 0 }, value, path) =>
    typeof value !== 'string' || value.length >= minLength ? [] : [`${at(path)}: empty`],
  maxLength: ({ maxLength = 0 }, value, path) =>
    typeof value !== 'string' || value.length <= maxLength
      ? []
      : [`${at(path)}: ${shown(value)} has ${value.length} characters, ${maxLength} are allowed`],
  minimum: ({ minimum = 0 }, value, path) =>
    typeof value !== 'number' || value >= minimum ? [] : [`${at(path)}: ${value} is below ${minimum}`],
  maximum: ({ maximum = 0 }, value, path) =>
    typeof value !== 'number' || value <= maximum ? [] : [`${at(path)}: ${value} is above ${maximum}`],
  pattern: ({ pattern = '', patternErrorMessage = `must fit ${pattern}` }, value, path) =>
    typeof value !== 'string' || new RegExp(pattern, 'u').test(value)
      ? []
      : [`${at(path)}: ${shown(value)}: ${patternErrorMessage}`],
  oneOf: ({ oneOf = [] }, value, path) => {
    const fields = oneOf.flatMap(({ required }) => required)
    const given = fields.filter(field => present(value, field))
    if (given.length === 1) return []
    return [`${at(path)}: needs one of ${fields.join(', ')}${given.length > 1 ? `, not ${given.join(' and ')}` : ''}`]
  },
} satisfies Record<string, Rule>

function resolve(ref: string, { $defs = {} }: Schema): Schema {
  const found = $defs[ref.replace('#/$defs/', '')]
  if (!found) throw new Error(`the schema has no ${ref}`)
  return found
}

function unknownField(path: string, field: string, known: string[]): string {
  const meant = suggest(field, known)
  return `${path}: unknown field; ${meant ? `did you mean ${meant}?` : `known: ${known.join(', ')}`}`
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

const words: Record<string, string> = {
  object: 'a map',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
}
const article = (type: string): string => words[type] ?? type

const asMap = (value: unknown): Record<string, unknown> => (typeOf(value) === 'object' ? { ...(value as object) } : {})
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const present = (value: unknown, field: string): boolean => asMap(value)[field] !== undefined

/** A value in few words; of lists and maps only that they are one. */
function shown(value: unknown): string {
  const type = typeOf(value)
  if (type === 'null') return 'nothing'
  return type === 'object' || type === 'array' ? article(type) : JSON.stringify(value)
}

const join = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`)
const at = (path: string): string => path || 'the document'
