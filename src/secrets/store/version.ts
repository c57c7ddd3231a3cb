/** The version of Vault whose API this is; clients look at it before they use what is newer. */
export const VERSION: string = '1.14.8+idp'
