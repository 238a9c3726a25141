# families.cmake - the lists of descriptors, from the names of the files that define them.
#
# A family of operators, layers or optimizers is a file that ends in a table named after
# it: src/op/unary.c in lgi_ops_unary. CMake reads names of files, never what is in them.
#
# lg_list_families(op lg_op op LG_OPS FRAME apply check EXTRA more.c) writes op_list.c,
# with the tables of src/op/*.c and more.c in lgi_op_families[]; LG_OPS is its path.
function(lg_list_families floor type table out)
    cmake_parse_arguments(arg "" "" "FRAME;EXTRA" ${ARGN})
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${floor}/*.c)
    foreach(name IN LISTS arg_FRAME)
        list(REMOVE_ITEM files ${PROJECT_SOURCE_DIR}/src/${floor}/${name}.c)
    endforeach()
    set(declared "")
    set(listed "")
    foreach(file IN LISTS files arg_EXTRA)
        get_filename_component(name ${file} NAME_WE)
        string(APPEND declared "extern const ${type} *const lgi_${table}s_${name}[];\n")
        string(APPEND listed "    lgi_${table}s_${name},\n")
    endforeach()
    set(made ${CMAKE_CURRENT_BINARY_DIR}/${table}_list.c)
    file(CONFIGURE OUTPUT ${made} CONTENT
"/* made by CMake from the names of the files in src/${floor} */
#include \"${floor}/${table}.h\"

${declared}
const ${type} *const *const lgi_${table}_families[] = {
${listed}    0
};
")
    set(${out} ${made} PARENT_SCOPE)
endfunction()
