import * as fs from 'node:fs'
import { promisify } from 'node:util'

/** As `readFile` of `node:fs/promises`, which alone costs a start 3 ms. */
export const readFile = promisify(fs.readFile)
