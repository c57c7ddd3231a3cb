import { Environment, type EnvironmentOptions } from '../environment.ts'
import { kubernetesLibraries } from '../libraries.ts'

/** An environment as the API server gives it to validation rules, admission policies and match conditions. */
export function kubernetesEnvironment(options: Omit<EnvironmentOptions, 'isStrict'> = {}): Environment {
  return new Environment({
    ...options,
    // One list for all, so that what the libraries hold is put together once.
    libraries: options.libraries ? [...kubernetesLibraries, ...options.libraries] : kubernetesLibraries,
    syntax: { quotedFields: false, ...options.syntax },
    isStrict: true,
  })
}
