import type { Shell } from './shells.ts'

/**
 * A script that completes `executable` (the plugin called by its own name; called through kubectl, kubectl's completion asks it).
 * All three ask `executable __complete WORDS...`, whose answer is explained in protocol.ts.
 */
export const completionScript = (shell: Shell, executable: string): string =>
  scripts[shell].replaceAll('EXECUTABLE', executable)

const bash = String.raw`# bash completion for EXECUTABLE
# Load it in this shell:   source <(EXECUTABLE completion bash)
# "kubectl karmada-net" itself:   EXECUTABLE completion --install

__karmada_net_complete() {
  local typed="\${COMP_LINE:0:COMP_POINT}" words=() line directive="" cur part
  # Split at blanks alone: COMP_WORDS is also split at "=" and ":".
  read -ra words <<<"$typed"
  [[ $typed == *[[:space:]] ]] && words+=("")
  cur="\${words[\${#words[@]}-1]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :[0-9]* ]]; then
      directive="$line"
    else
      COMPREPLY+=("\${line%%$'\t'*}")
    fi
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  # Readline replaces only what stands behind the last break character.
  [[ $cur == -*=* ]] && cur="\${cur#*=}"
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    part="\${cur%"\${cur##*:}"}"
    COMPREPLY=("\${COMPREPLY[@]#"$part"}")
  fi
  [[ $directive == :0 ]] && compopt -o default 2>/dev/null
  return 0
}
complete -F __karmada_net_complete EXECUTABLE
`.replaceAll('\\$', '$')

const zsh = String.raw`#compdef EXECUTABLE
# zsh completion for EXECUTABLE
# Load it in this shell:   source <(EXECUTABLE completion zsh)
# "kubectl karmada-net" itself:   EXECUTABLE completion --install

_karmada_net() {
  local line word about directive
  local -a answer candidates
  answer=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${answer[@]}"; do
    if [[ $line == :[0-9]* ]]; then
      directive=$line
    elif [[ -n $line ]]; then
      # _describe parts word from description at the first unescaped colon.
      word="\${line%%$'\t'*}"
      about="\${line#$word}"
      candidates+=("\${word//:/\\:}\${about/$'\t'/:}")
    fi
  done
  [[ \${words[CURRENT]} == -*=* ]] && compset -P '*='
  if [[ $directive == :0 ]]; then
    _files
  else
    _describe 'completions' candidates
  fi
}
compdef _karmada_net EXECUTABLE
`.replaceAll('\\$', '$')

const fish = String.raw`# fish completion for EXECUTABLE
# Load it in this shell:   EXECUTABLE completion fish | source
# "kubectl karmada-net" itself:   EXECUTABLE completion --install

function __karmada_net_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -l answer (command $words[1] __complete $words[2..-1] "$cur" 2>/dev/null)
    set -l prefix (string match -r -- '^-[^=]*=' "$cur")
    for line in $answer
        switch $line
            case ':0'
                __fish_complete_path (string replace -- "$prefix" '' "$cur")
            case ':*'
            case '*'
                printf '%s\n' "$prefix$line"
        end
    end
end
complete -c EXECUTABLE -e
complete -c EXECUTABLE -f -a '(__karmada_net_complete)'
`

const scripts: Record<Shell, string> = { bash, zsh, fish }
