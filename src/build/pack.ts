/** One piece of the program: CommonJS code that requires others by their names. */
export interface Chunk {
  /** As others require it: `./up-X7.js`. */
  name: string
  code: string
  /** Needed at every start: stands in the file as code. All others are comments, compiled when they are first required. */
  start: boolean
}

/**
 * Chunks as one CommonJS file that runs `entry`. V8 reads through all of a file before the first line runs: code takes it 17 ms a
 * megabyte, a string 4, a comment 2. So what a start does not need stands in comments, which a function hands out as part of its
 * source: a start costs what the start needs, nearly however much the program can do. Pure.
 */
export function pack(chunks: readonly Chunk[], entry: string): string {
  const code = chunks
    .filter(({ start }) => start)
    .map(({ name, code }) => `${JSON.stringify(name)}:${asFunction(code)}`)
  const text = chunks
    .filter(({ start }) => !start)
    // A stack names the chunk.
    .map(({ name, code }) => `${JSON.stringify(name)}:()=>{/*${asComment(`${code}//# sourceURL=${name.slice(2)}`)}*/}`)
  return `${prologue}
var code={${code.join(',\n')}},
text={${text.join(',\n')}},
made={};
function builtin(name){
var m=process.getBuiltinModule(name);
if(!m)throw Object.assign(new Error("Cannot find module '"+name+"'"),{code:"MODULE_NOT_FOUND"});
return m}
function load(name){
if(!(name in code)&&!(name in text))return builtin(name);
var m=made[name];
if(!m){m=made[name]={exports:{}};(code[name]??new Function("module","exports","require",source(text[name])))(m,m.exports,load)}
return m.exports}
function source(holder){return String(holder).slice(7,-3).replace(/[*](~*)~[/]/g,"*$1/")}
load(${JSON.stringify(entry)});
`
}

/** The parentheses tell V8 to compile at once what will be called at once. */
const asFunction = (code: string) => `(function(module,exports,require){${code}})`

/** Without its end of a comment: one `~` more, which `source` takes away. */
const asComment = (code: string) => code.replaceAll(/[*](~*)[/]/g, '*$1~/')

// Nothing here needs Node's CommonJS, so the same file also runs as a module: what is not in it is Node's own. Optional packages (of ws) are not found.
const prologue = `#!/usr/bin/env node
{let[a,b]=process.versions.node.split(".");if(a<22||a==22&&b<19){process.stderr.write("error: kubectl-karmada_net needs Node 22.19 or newer; this is "+process.version+"\\n");process.exit(1)}}`
