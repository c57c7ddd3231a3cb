import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Io } from '../command.ts'

/** The documents of a YAML or JSON file; `-` is the standard input. */
export async function readDocuments(file: string, io: Io): Promise<Result<readonly unknown[]>> {
  let text: string
  try {
    text = file === '-' ? await readAll(io.stdin) : readFileSync(resolve(io.cwd, file), 'utf8')
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : String(cause)
    return fail({ code: 'file-unreadable', at: file, message: `cannot read ${file}: ${because}` })
  }
  const documents = parseYamlDocuments(text, { file })
  return documents.ok ? succeed(documents.value.map(({ value }) => value)) : documents
}

/** The objects of a kind in a file; other objects are passed over. */
export async function readObjectsOf(kind: string, file: string, io: Io): Promise<Result<readonly KubeObject[]>> {
  const documents = await readDocuments(file, io)
  if (!documents.ok) return documents
  const objects = documents.value.filter(
    (value): value is KubeObject => isObject(value) && value['kind'] === kind && isObject(value['metadata']),
  )
  if (objects.length > 0) return succeed(objects)
  return fail({ code: 'file-without-object', at: file, message: `there is no ${kind} in ${file}` })
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
