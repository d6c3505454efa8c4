import { defineCommand } from '../cli/command.ts'
import { optionsHelp } from '../cli/help.ts'

export const options = defineCommand({
  name: 'options',
  summary: 'List the options that all commands have',
  examples: [],
  hidden: true,
  async run({ session }) {
    session.io.stdout.write(optionsHelp())
  },
})
