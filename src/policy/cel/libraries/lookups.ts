import { type Library, overload, type Overload } from '../../../lang/cel/library/library.ts'
import { globalContextType, imageDataType, type Outside, valueOf } from './outside.ts'

const global = (self: Outside, name: string, projection?: string): unknown =>
  valueOf(
    self,
    { what: 'global-context', name, ...(projection === undefined || projection === '' ? {} : { projection }) },
    'failed to get global reference',
  )

const C = globalContextType.name
const globals = (name: string): readonly Overload[] => [
  overload(`globalcontext_${name}_string`, `${C} -> ${name}(string): dyn`, (self: Outside, entry: string) =>
    global(self, entry),
  ),
  overload(
    `globalcontext_${name}_string_string`,
    `${C} -> ${name}(string, string): dyn`,
    (self: Outside, entry: string, projection: string) => global(self, entry, projection),
  ),
]

/** `globalContext.get(entry)` and `globalContext.get(entry, projection)`. */
export const globalContextLibrary: Library = {
  name: 'kyverno.globalcontext',
  types: [globalContextType],
  overloads: [...globals('Get'), ...globals('get')],
}

const metadata = (name: string): Overload =>
  overload(
    `imagedata_${name}_string`,
    `${imageDataType.name} -> ${name}(string): dyn`,
    (self: Outside, image: string) => valueOf(self, { what: 'image', reference: image }, 'failed to get image data'),
  )

/** `image.getMetadata(image)`: what a registry says of an image. */
export const imageDataLibrary: Library = {
  name: 'kyverno.imagedata',
  types: [imageDataType],
  overloads: [metadata('GetMetadata'), metadata('getMetadata')],
}
